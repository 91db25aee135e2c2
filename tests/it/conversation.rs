//! Groups: making, changing, listing, and who may see one.

use serde_json::{Value, json};

use crate::support::{Client, Reply, TestApp};

const LIST: &str =
    "query($f:Int$a:String$u:Boolean!){viewer{conversations(first:$f,after:$a,unreadOnly:$u){
    edges{cursor node{id title}} pageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}}";

async fn list(who: &Client, first: i64, after: Option<&str>, unread_only: bool) -> Reply {
    let reply = who
        .query(LIST, json!({"f": first, "a": after, "u": unread_only}))
        .await;
    Reply(reply.at("/viewer/conversations").clone())
}

fn titles(list: &Reply) -> Vec<String> {
    let edges = list.at("/edges").as_array().expect("edges");
    edges
        .iter()
        .map(|edge| edge["node"]["title"].as_str().expect("a title").to_owned())
        .collect()
}

#[tokio::test]
async fn a_group_has_its_maker_as_owner_and_the_people_named() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    alice.befriend(&bob).await;
    let input = json!({"title": "Walks", "topic": "outside\nmostly", "memberIds": [bob.id, alice.id, bob.id]});
    let selection = "conversationEdge{cursor node{id kind title topic createdAt lastSeq memberCount postingPolicy invitePolicy
        lastMessage{id} members{edges{cursor node{role readSeq user{handle} conversation{title}}}} viewerMembership{role} viewerUnreadCount}}";
    let made = alice.mutate("createConversation", selection, input).await;
    let node = Reply(made.at("/conversationEdge/node").clone());
    assert_eq!(node.text("/kind"), "GROUP");
    assert_eq!(node.text("/topic"), "outside\nmostly");
    assert_eq!(
        (node.number("/memberCount"), node.number("/lastSeq")),
        (2, 0)
    );
    assert!(node.at("/lastMessage").is_null());
    assert_eq!(node.text("/members/edges/0/node/role"), "OWNER");
    assert_eq!(node.text("/members/edges/0/node/user/handle"), "alice");
    assert_eq!(node.text("/members/edges/1/node/role"), "MEMBER");
    assert_eq!(node.text("/members/edges/1/node/user/handle"), "bob");
    assert_eq!(node.text("/viewerMembership/role"), "OWNER");
    let seen = bob
        .query(
            "query($c:ID!){conversation(id:$c){title viewerMembership{role}}}",
            json!({"c": node.text("/id")}),
        )
        .await;
    assert_eq!(
        seen.at("/conversation"),
        &json!({"title": "Walks", "viewerMembership": {"role": "MEMBER"}})
    );
}

#[tokio::test]
async fn a_group_that_breaks_a_limit_is_not_made() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    alice.befriend(&bob).await;
    let make = |input| alice.mutate("createConversation", "conversationEdge{cursor}", input);
    make(json!({"title": ""}))
        .await
        .is_refused("INVALID_INPUT", "title");
    make(json!({"title": "x".repeat(101)}))
        .await
        .is_refused("INVALID_INPUT", "title");
    make(json!({"title": "t", "topic": "x".repeat(501)}))
        .await
        .is_refused("INVALID_INPUT", "topic");
    make(json!({"title": "t", "idempotencyKey": "x".repeat(65)}))
        .await
        .is_refused("INVALID_INPUT", "idempotencyKey");
    make(json!({"title": "t", "memberIds": vec![&bob.id; 101]}))
        .await
        .is_refused("INVALID_INPUT", "memberIds");
    make(json!({"title": "t", "memberIds": [bob.id, "user_7"]}))
        .await
        .is_refused("NOT_FOUND", "memberIds.1");
    let nobody = bob.id.replace(&bob.id[bob.id.len() - 6..], "000000");
    make(json!({"title": "t", "memberIds": [bob.id, nobody]}))
        .await
        .is_refused("NOT_FOUND", "memberIds.1");
    make(json!({"title": "t", "memberIds": [bob.id, carol.id]}))
        .await
        .is_refused("NOT_FRIENDS", "memberIds.1");
    make(json!({"title": "t", "kind": "CHANNEL", "memberIds": [bob.id]}))
        .await
        .is_refused("INVALID_INPUT", "memberIds");
    assert_eq!(titles(&list(&alice, 20, None, false).await), [""; 0]);
    let anonymous = app.anonymous();
    let document = "mutation{createConversation(input:{title:\"t\"}){userErrors{code}}}";
    assert_eq!(
        anonymous.run(document, json!({})).await.codes(),
        ["UNAUTHENTICATED"]
    );
}

#[tokio::test]
async fn making_a_group_again_with_its_key_gives_the_same_group() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let make = |who: &Client, key: &str| {
        let (who, input) = (
            who.clone(),
            json!({"title": "Walks", "idempotencyKey": key}),
        );
        async move {
            let made = who
                .mutate("createConversation", "conversationEdge{node{id}}", input)
                .await;
            made.text("/conversationEdge/node/id")
        }
    };
    let first = make(&alice, "key-1").await;
    let again = futures_util::future::join_all((0..4).map(|_| make(&alice, "key-1"))).await;
    assert!(again.iter().all(|id| *id == first));
    assert_ne!(make(&alice, "key-2").await, first);
    assert_ne!(
        make(&bob, "key-1").await,
        first,
        "keys are each person's own"
    );
    assert_eq!(titles(&list(&alice, 20, None, false).await).len(), 2);
}

#[tokio::test]
async fn owners_change_a_group_and_members_do_not() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let update = |who: &Client, change: Value| {
        let (who, mut input) = (who.clone(), change);
        input["conversationId"] = json!(group);
        async move {
            who.mutate(
                "updateConversation",
                "conversation{title topic postingPolicy invitePolicy}",
                input,
            )
            .await
        }
    };
    let after = update(
        &alice,
        json!({"topic": "in the rain", "postingPolicy": "ADMINS"}),
    )
    .await;
    let expected = json!({"title": "Walks", "topic": "in the rain", "postingPolicy": "ADMINS", "invitePolicy": "EVERYONE"});
    assert_eq!(after.at("/conversation"), &expected);
    bob.send(&group, "may I?", None)
        .await
        .is_refused("FORBIDDEN", "");
    let after = update(
        &alice,
        json!({"topic": null, "title": "Runs", "postingPolicy": "EVERYONE"}),
    )
    .await;
    assert!(after.at("/conversation/topic").is_null());
    assert_eq!(bob.say(&group, "may I now?").await, 1);
    update(&alice, json!({"title": null}))
        .await
        .is_refused("INVALID_INPUT", "title");
    update(&alice, json!({"postingPolicy": null}))
        .await
        .is_refused("INVALID_INPUT", "postingPolicy");
    update(&bob, json!({"title": "Mine"}))
        .await
        .is_refused("FORBIDDEN", "");
    let carol = app.sign_up("carol").await;
    update(&carol, json!({"title": "Mine"}))
        .await
        .is_refused("NOT_FOUND", "conversationId");
}

#[tokio::test]
async fn the_list_has_the_newest_activity_first_and_pages_without_a_gap() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let mut groups = Vec::new();
    for title in ["one", "two", "three", "four", "five"] {
        app.clock.turn(1_000);
        groups.push(alice.group(title, &[&bob]).await);
    }
    assert_eq!(
        titles(&list(&alice, 20, None, false).await),
        ["five", "four", "three", "two", "one"]
    );
    app.clock.turn(1_000);
    bob.say(&groups[1], "hello").await;
    let page = list(&alice, 2, None, false).await;
    assert_eq!(titles(&page), ["two", "five"]);
    assert_eq!(page.at("/pageInfo/hasNextPage"), true);
    assert_eq!(
        page.text("/pageInfo/endCursor"),
        page.text("/edges/1/cursor")
    );
    let rest = list(&alice, 20, Some(&page.text("/pageInfo/endCursor")), false).await;
    assert_eq!(titles(&rest), ["four", "three", "one"]);
    assert_eq!(rest.at("/pageInfo/hasNextPage"), false);
    assert_eq!(titles(&list(&alice, 20, None, true).await), ["two"]);
    assert_eq!(
        titles(&list(&bob, 20, None, true).await),
        [""; 0],
        "sending is reading"
    );
}

#[tokio::test]
async fn pages_that_make_no_sense_are_refused_with_what_is_allowed() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    alice.say(&group, "hello").await;
    let of_messages = alice
        .query(
            "query($c:ID!){conversation(id:$c){messages{edges{cursor}}}}",
            json!({"c": group}),
        )
        .await
        .text("/conversation/messages/edges/0/cursor");
    let foreign = format!("messages(after:\"{of_messages}\")");
    assert_eq!(
        alice
            .run(
                &format!(
                    "{{node(id:\"{group}\"){{...on Conversation{{{foreign}{{edges{{cursor}}}}}}}}}}"
                ),
                json!({})
            )
            .await
            .codes(),
        [""; 0]
    );
    for arguments in [
        "messages(first:0)",
        "messages(first:-5)",
        "messages(last:101)",
        "messages(first:1,last:1)",
        "messages(after:\"\")",
        "messages(before:\"nonsense\")",
        "messages(afterSeq:-1)",
        "messages(beforeSeq:-2147483648)",
        "members(first:1000000)",
        &format!("members(after:\"{of_messages}\")"),
    ] {
        let document =
            format!("query($c:ID!){{conversation(id:$c){{{arguments}{{edges{{cursor}}}}}}}}");
        let reply = alice.run(&document, json!({"c": group})).await;
        assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{arguments}: {reply:?}");
        assert_eq!(reply.at("/errors/0/path/0"), "conversation");
    }
    let list = alice
        .run(
            "{viewer{conversations(first:101){edges{cursor}}}}",
            json!({}),
        )
        .await;
    assert_eq!(list.codes(), ["BAD_USER_INPUT"]);
    assert!(list.text("/errors/0/message").contains("1 to 100"));
}

#[tokio::test]
async fn what_may_not_be_seen_looks_like_what_is_not_there() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Secret", &[]).await;
    alice.say(&group, "psst").await;
    let inside = "query($c:ID!){conversation(id:$c){lastMessage{id} viewerMembership{id}}}";
    let inside = alice.query(inside, json!({"c": group})).await;
    let (message, membership) = (
        inside.text("/conversation/lastMessage/id"),
        inside.text("/conversation/viewerMembership/id"),
    );
    let viewer = alice
        .query("{viewer{id}}", json!({}))
        .await
        .text("/viewer/id");
    let ids = json!([
        group,
        message,
        membership,
        viewer,
        bob.id,
        "",
        "alien_1",
        format!("{group}x"),
        "message_x"
    ]);
    let nodes = "query($ids:[ID!]!){nodes(ids:$ids){__typename id}}";
    let seen = |reply: &Reply| -> Vec<bool> {
        reply
            .at("/nodes")
            .as_array()
            .expect("nodes")
            .iter()
            .map(|node| !node.is_null())
            .collect()
    };
    let (f, t) = (false, true);
    assert_eq!(
        seen(&alice.query(nodes, json!({ "ids": ids })).await),
        [t, t, t, t, t, f, f, f, f]
    );
    assert_eq!(
        seen(&bob.query(nodes, json!({ "ids": ids })).await),
        [f, f, f, f, t, f, f, f, f]
    );
    assert_eq!(
        seen(&app.anonymous().query(nodes, json!({ "ids": ids })).await),
        [f, f, f, f, t, f, f, f, f]
    );
    let conversation = "query($c:ID!){conversation(id:$c){title}}";
    assert!(
        bob.query(conversation, json!({"c": group}))
            .await
            .at("/conversation")
            .is_null()
    );
    let too_many = alice.run(nodes, json!({"ids": vec![&group; 101]})).await;
    assert_eq!(too_many.codes(), ["BAD_USER_INPUT"]);
}

#[tokio::test]
async fn a_key_opens_nothing_to_a_maker_who_was_removed() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    alice.befriend(&bob).await;
    let input = json!({"title": "Walks", "memberIds": [bob.id], "idempotencyKey": "key-1"});
    let selection = "conversationEdge{node{id messages{edges{node{text}}}}}";
    let made = alice
        .mutate("createConversation", selection, input.clone())
        .await;
    let group = made.text("/conversationEdge/node/id");
    let hand_over = json!({"conversationId": group, "userId": bob.id, "role": "OWNER"});
    alice
        .mutate("changeMemberRole", "membership{role}", hand_over)
        .await;
    let remove = json!({"conversationId": group, "userId": alice.id});
    bob.mutate("removeMember", "conversation{id}", remove).await;
    bob.say(&group, "secret").await;
    for _ in 0..2 {
        let again = alice
            .mutate("createConversation", selection, input.clone())
            .await;
        again.is_refused("NOT_FOUND", "");
        assert!(again.at("/conversationEdge").is_null());
    }
}
