//! Who is in a group: adding, removing, leaving.

use parlor::model::Limits;
use serde_json::json;

use crate::support::{Client, Reply, TestApp};

async fn add(who: &Client, group: &str, people: &[&str]) -> Reply {
    let selection =
        "conversation{memberCount} membershipEdges{cursor node{id user{id} role readSeq}}";
    who.mutate(
        "addMembers",
        selection,
        json!({"conversationId": group, "userIds": people}),
    )
    .await
}

async fn remove(who: &Client, group: &str, person: &str) -> Reply {
    let selection = "conversation{memberCount} removedMembershipId";
    who.mutate(
        "removeMember",
        selection,
        json!({"conversationId": group, "userId": person}),
    )
    .await
}

async fn leave(who: &Client, group: &str) -> Reply {
    who.mutate(
        "leaveConversation",
        "leftConversationId",
        json!({"conversationId": group}),
    )
    .await
}

async fn sees(who: &Client, group: &str) -> bool {
    !who.query(
        "query($c:ID!){conversation(id:$c){id}}",
        json!({"c": group}),
    )
    .await
    .at("/conversation")
    .is_null()
}

#[tokio::test]
async fn whoever_is_added_reads_what_was_said_before_and_owes_nothing() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[]).await;
    alice.befriend(&bob).await;
    alice.say(&group, "before").await;
    let added = add(&alice, &group, &[&bob.id]).await;
    assert_eq!(added.number("/conversation/memberCount"), 2);
    assert_eq!(added.number("/membershipEdges/0/node/readSeq"), 1);
    assert_eq!(bob.texts(&group).await, ["before"]);
    assert_eq!(
        bob.query("{viewer{unreadCount}}", json!({}))
            .await
            .number("/viewer/unreadCount"),
        0
    );
    alice.say(&group, "after").await;
    assert_eq!(
        bob.query("{viewer{unreadCount}}", json!({}))
            .await
            .number("/viewer/unreadCount"),
        1
    );
}

#[tokio::test]
async fn adding_somebody_who_is_there_succeeds_and_changes_nothing() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let first = add(&alice, &group, &[&bob.id]).await;
    let again = add(&alice, &group, &[&bob.id, &bob.id, &alice.id]).await;
    assert_eq!(again.number("/conversation/memberCount"), 2);
    assert_eq!(
        again.at("/membershipEdges").as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(
        again.text("/membershipEdges/0/node/id"),
        first.text("/membershipEdges/0/node/id")
    );
}

#[tokio::test]
async fn all_are_added_or_nobody() {
    let app = TestApp::start_with(Limits {
        group_members_max: 3,
        rate_limits: false,
        ..Limits::default()
    })
    .await;
    let (alice, bob) = app.alice_and_bob().await;
    let (carol, dave) = tokio::join!(app.sign_up("carol"), app.sign_up("dave"));
    let erin = app.sign_up("erin").await;
    let group = alice.group("Walks", &[]).await;
    for friend in [&bob, &carol, &dave] {
        alice.befriend(friend).await;
    }
    carol.befriend(&dave).await;
    add(&alice, &group, &[&bob.id, &erin.id])
        .await
        .is_refused("NOT_FRIENDS", "userIds.1");
    add(&alice, &group, &[&bob.id, "nobody"])
        .await
        .is_refused("NOT_FOUND", "userIds.1");
    add(&alice, &group, &[&bob.id, &group])
        .await
        .is_refused("NOT_FOUND", "userIds.1");
    add(&alice, &group, &[&bob.id, &carol.id, &dave.id])
        .await
        .is_refused("LIMIT_REACHED", "userIds");
    add(&alice, &group, &[])
        .await
        .is_refused("INVALID_INPUT", "userIds");
    add(&alice, &group, &vec![bob.id.as_str(); 101])
        .await
        .is_refused("INVALID_INPUT", "userIds");
    assert!(!sees(&bob, &group).await);
    assert_eq!(
        add(&alice, &group, &[&bob.id, &carol.id])
            .await
            .number("/conversation/memberCount"),
        3
    );
    add(&carol, &group, &[&dave.id])
        .await
        .is_refused("LIMIT_REACHED", "userIds");
}

#[tokio::test]
async fn members_add_others_only_where_the_policy_lets_them() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let (carol, dave) = tokio::join!(app.sign_up("carol"), app.sign_up("dave"));
    let group = alice.group("Walks", &[&bob]).await;
    add(&bob, &group, &[&carol.id])
        .await
        .is_refused("NOT_FRIENDS", "userIds.0");
    bob.befriend(&carol).await;
    alice.befriend(&dave).await;
    assert_eq!(add(&bob, &group, &[&carol.id]).await.refusals(), []);
    let closed = json!({"conversationId": group, "invitePolicy": "ADMINS"});
    alice
        .mutate("updateConversation", "conversation{id}", closed)
        .await;
    add(&bob, &group, &[&dave.id])
        .await
        .is_refused("FORBIDDEN", "");
    add(&dave, &group, &[&dave.id])
        .await
        .is_refused("NOT_FOUND", "conversationId");
    assert_eq!(add(&alice, &group, &[&dave.id]).await.refusals(), []);
}

#[tokio::test]
async fn a_removed_member_is_a_stranger_again() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    bob.say(&group, "hello").await;
    remove(&bob, &group, &alice.id)
        .await
        .is_refused("FORBIDDEN", "");
    let removed = remove(&alice, &group, &bob.id).await;
    assert_eq!(removed.number("/conversation/memberCount"), 1);
    assert!(
        removed
            .text("/removedMembershipId")
            .starts_with("membership_")
    );
    assert!(!sees(&bob, &group).await);
    bob.send(&group, "still here?", None)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    remove(&alice, &group, &bob.id)
        .await
        .is_refused("NOT_FOUND", "userId");
    remove(&alice, &group, &alice.id)
        .await
        .is_refused("FORBIDDEN", "");
    let node = bob
        .query(
            "query($id:ID!){node(id:$id){id}}",
            json!({"id": removed.text("/removedMembershipId")}),
        )
        .await;
    assert!(node.at("/node").is_null());
}

#[tokio::test]
async fn coming_back_is_a_new_membership_that_owes_nothing() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let old = remove(&alice, &group, &bob.id)
        .await
        .text("/removedMembershipId");
    alice.say(&group, "while bob was away").await;
    let back = add(&alice, &group, &[&bob.id]).await;
    assert_ne!(back.text("/membershipEdges/0/node/id"), old);
    assert_eq!(back.number("/membershipEdges/0/node/readSeq"), 1);
    assert_eq!(bob.texts(&group).await, ["while bob was away"]);
}

#[tokio::test]
async fn an_owner_who_is_not_alone_stays_and_with_the_last_one_the_group_is_gone() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    leave(&alice, &group).await.is_refused("WRONG_STATE", "");
    assert_eq!(leave(&bob, &group).await.text("/leftConversationId"), group);
    leave(&bob, &group)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    assert!(!sees(&bob, &group).await);
    assert_eq!(
        leave(&alice, &group).await.text("/leftConversationId"),
        group
    );
    assert!(!sees(&alice, &group).await);
    let list = alice
        .query("{viewer{conversations{edges{node{id}}}}}", json!({}))
        .await;
    assert_eq!(list.at("/viewer/conversations/edges"), &json!([]));
}

#[tokio::test]
async fn members_are_listed_by_when_they_joined_from_either_end() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    for handle in ["bob", "carol", "dave", "erin"] {
        let person = app.sign_up(handle).await;
        alice.befriend(&person).await;
        add(&alice, &group, &[&person.id]).await;
    }
    let members = |arguments: String| {
        let document = format!(
            "query($c:ID!){{conversation(id:$c){{members({arguments}){{pageInfo{{hasNextPage hasPreviousPage startCursor endCursor}} edges{{node{{user{{handle}}}}}}}}}}}}"
        );
        let (alice, group) = (alice.clone(), group.clone());
        async move {
            Reply(
                alice
                    .query(&document, json!({"c": group}))
                    .await
                    .at("/conversation/members")
                    .clone(),
            )
        }
    };
    let handles = |page: &Reply| -> Vec<String> {
        let edges = page.at("/edges").as_array().expect("edges");
        edges
            .iter()
            .map(|edge| {
                edge["node"]["user"]["handle"]
                    .as_str()
                    .expect("a handle")
                    .to_owned()
            })
            .collect()
    };
    let front = members("first:2".to_owned()).await;
    assert_eq!(handles(&front), ["alice", "bob"]);
    assert_eq!(
        (
            front.at("/pageInfo/hasNextPage"),
            front.at("/pageInfo/hasPreviousPage")
        ),
        (&json!(true), &json!(false))
    );
    let middle = members(format!(
        "first:2,after:\"{}\"",
        front.text("/pageInfo/endCursor")
    ))
    .await;
    assert_eq!(handles(&middle), ["carol", "dave"]);
    let back = members("last:2".to_owned()).await;
    assert_eq!(handles(&back), ["dave", "erin"]);
    assert_eq!(
        (
            back.at("/pageInfo/hasNextPage"),
            back.at("/pageInfo/hasPreviousPage")
        ),
        (&json!(false), &json!(true))
    );
    let before = members(format!(
        "last:9,before:\"{}\"",
        back.text("/pageInfo/startCursor")
    ))
    .await;
    assert_eq!(handles(&before), ["alice", "bob", "carol"]);
    assert_eq!(
        handles(&members("first:9,roles:[OWNER]".to_owned()).await),
        ["alice"]
    );
}

async fn change_role(who: &Client, group: &str, person: &str, role: &str) -> Reply {
    let input = json!({"conversationId": group, "userId": person, "role": role});
    who.mutate("changeMemberRole", "membership{role}", input)
        .await
}

async fn roles(who: &Client, group: &str) -> Vec<String> {
    let document = "query($c:ID!){conversation(id:$c){members{edges{node{role}}}}}";
    let reply = who.query(document, json!({ "c": group })).await;
    let edges = reply
        .at("/conversation/members/edges")
        .as_array()
        .expect("edges");
    let role = |edge: &serde_json::Value| edge["node"]["role"].as_str().expect("a role").to_owned();
    edges.iter().map(role).collect()
}

#[tokio::test]
async fn an_owner_gives_roles_and_may_give_the_group_away() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob]).await;
    change_role(&bob, &group, &bob.id, "ADMIN")
        .await
        .is_refused("FORBIDDEN", "");
    change_role(&alice, &group, &carol.id, "ADMIN")
        .await
        .is_refused("NOT_FOUND", "userId");
    change_role(&carol, &group, &bob.id, "ADMIN")
        .await
        .is_refused("NOT_FOUND", "conversationId");
    change_role(&alice, &group, &alice.id, "MEMBER")
        .await
        .is_refused("WRONG_STATE", "role");
    assert_eq!(
        change_role(&alice, &group, &alice.id, "OWNER")
            .await
            .text("/membership/role"),
        "OWNER"
    );
    assert_eq!(
        change_role(&alice, &group, &bob.id, "ADMIN")
            .await
            .text("/membership/role"),
        "ADMIN"
    );
    remove(&bob, &group, &alice.id)
        .await
        .is_refused("FORBIDDEN", "");
    change_role(&bob, &group, &bob.id, "OWNER")
        .await
        .is_refused("FORBIDDEN", "");
    assert_eq!(
        change_role(&alice, &group, &bob.id, "OWNER")
            .await
            .text("/membership/role"),
        "OWNER"
    );
    assert_eq!(
        roles(&alice, &group).await,
        ["ADMIN", "OWNER"],
        "there is exactly one owner"
    );
    change_role(&alice, &group, &bob.id, "MEMBER")
        .await
        .is_refused("FORBIDDEN", "");
    assert_eq!(
        leave(&alice, &group).await.refusals(),
        [],
        "who gave it away may go"
    );
}

#[tokio::test]
async fn what_somebody_can_do_is_told_before_they_try() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let closed =
        json!({"conversationId": group, "postingPolicy": "ADMINS", "invitePolicy": "ADMINS"});
    alice
        .mutate("updateConversation", "conversation{id}", closed)
        .await;
    let document = "query($c:ID!){conversation(id:$c){viewerCan{
        addMembers archive changeRoles delete join leave removeMembers send sendRefusal update}}}";
    let can = |who: &Client| {
        let (who, group) = (who.clone(), group.clone());
        async move {
            who.query(document, json!({ "c": group }))
                .await
                .at("/conversation/viewerCan")
                .clone()
        }
    };
    let owner = json!({"addMembers": true, "archive": true, "changeRoles": true, "delete": true, "join": false,
        "leave": false, "removeMembers": true, "send": true, "sendRefusal": null, "update": true});
    assert_eq!(can(&alice).await, owner);
    let member = json!({"addMembers": false, "archive": false, "changeRoles": false, "delete": false, "join": false,
        "leave": true, "removeMembers": false, "send": false, "sendRefusal": "FORBIDDEN", "update": false});
    assert_eq!(can(&bob).await, member);
    change_role(&alice, &group, &bob.id, "ADMIN").await;
    let admin = json!({"addMembers": true, "archive": true, "changeRoles": false, "delete": false, "join": false,
        "leave": true, "removeMembers": true, "send": true, "sendRefusal": null, "update": true});
    assert_eq!(can(&bob).await, admin);
}

#[tokio::test]
async fn whoever_missed_the_answer_asks_again_and_is_told_the_same() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let given = change_role(&alice, &group, &bob.id, "OWNER").await;
    let again = change_role(&alice, &group, &bob.id, "OWNER").await;
    assert_eq!(
        again, given,
        "she is an admin now, and the group was handed over"
    );
    change_role(&alice, &group, &alice.id, "OWNER")
        .await
        .is_refused("FORBIDDEN", "");
    let channel = bob.channel("Cats").await;
    alice.join(&channel).await;
    leave(&alice, &channel).await;
    leave(&alice, &channel)
        .await
        .is_refused("NOT_FOUND", "conversationId");
}

#[tokio::test]
async fn members_that_are_named_cost_as_many_as_may_be_named() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let input = json!({"i": {"conversationId": group, "userIds": vec![&alice.id; 100]}});
    let deep = "mutation($i:AddMembersInput!){addMembers(input:$i){membershipEdges{node{user{
        mutualFriends(first:100){edges{node{mutualFriends(first:100){edges{cursor}}}}}}}}}}";
    let refused = alice.run(deep, input).await;
    assert_eq!(refused.codes(), ["QUERY_REJECTED"]);
    let roles = "query($r:[MemberRole!]!){viewer{conversations(first:20){edges{node{members(roles:$r){edges{node{role}}}}}}}}";
    let many = json!({"r": vec!["OWNER"; 1_900]});
    let owners = alice.query(roles, many).await;
    assert_eq!(
        owners.text("/viewer/conversations/edges/0/node/members/edges/0/node/role"),
        "OWNER"
    );
}
