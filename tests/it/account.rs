//! Deleting an account: what goes, what stays, what passes on.

use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Reply, TestApp, until};

async fn delete(who: &Client) -> Reply {
    let input = json!({"password": PASSWORD});
    who.mutate("deleteAccount", "deletedUserId", input).await
}

/// Waits until nothing ties anybody to a closed account any more: the conversation has so many members.
async fn has_members(who: &Client, conversation: &str, count: i64) -> Reply {
    let document = "query($c:ID!){conversation(id:$c){memberCount peer{handle} members{edges{node{role user{handle}}}}}}";
    until(|| async {
        let seen = who.query(document, json!({ "c": conversation })).await;
        (seen.number("/conversation/memberCount") == count).then_some(seen)
    })
    .await
}

fn members(seen: &Reply) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let edges = seen.at("/conversation/members/edges").as_array();
    let member = |edge: &Value| {
        (
            text(&edge["node"]["user"]["handle"]),
            text(&edge["node"]["role"]),
        )
    };
    edges.expect("edges").iter().map(member).collect()
}

#[tokio::test]
async fn a_password_confirms_it_and_then_nobody_is_there() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let wrong = json!({"password": "something else"});
    alice
        .mutate("deleteAccount", "deletedUserId", wrong)
        .await
        .is_refused("INVALID_CREDENTIALS", "password");
    let mut socket = alice.socket().await;
    assert_eq!(delete(&alice).await.text("/deletedUserId"), alice.id);
    assert_eq!(socket.end().await, Some(4403), "her sockets close");
    let viewer = alice.run("{viewer{id}}", json!({})).await;
    assert_eq!(viewer.codes(), ["UNAUTHENTICATED"], "her tokens are none");
    let login = json!({"handle": "alice", "password": PASSWORD});
    app.anonymous()
        .mutate("logIn", "token{value}", login)
        .await
        .is_refused("INVALID_CREDENTIALS", "");
    let document =
        "query($id:ID!){user(by:{handle:\"alice\"}){id} byId:user(by:{id:$id}){id} node(id:$id){id}
        users(search:\"alice\"){edges{node{id}}}}";
    let seen = bob.query(document, json!({"id": alice.id})).await;
    let nothing = json!({"user": null, "byId": null, "node": null, "users": {"edges": []}});
    assert_eq!(seen.0, nothing);
    for field in ["sendFriendRequest", "blockUser", "openDirectConversation"] {
        let refused = bob.mutate(field, "__typename", json!({"userId": alice.id}));
        refused.await.is_refused("NOT_FOUND", "userId");
    }
    let another = app.sign_up("alice").await;
    assert_ne!(
        another.id, alice.id,
        "the handle is free, the identifier is not"
    );
}

#[tokio::test]
async fn what_was_said_stays_without_a_sender() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = bob.group("Walks", &[&alice]).await;
    let direct = alice.direct(&bob).await;
    let carol = app.sign_up("carol").await;
    let asked = carol
        .mutate(
            "sendFriendRequest",
            "friendRequest{id}",
            json!({"userId": alice.id}),
        )
        .await
        .text("/friendRequest/id");
    carol
        .mutate("blockUser", "block{id}", json!({"userId": bob.id}))
        .await;
    for conversation in [&group, &direct] {
        alice.say(conversation, "I was here").await;
    }
    delete(&alice).await;
    let document =
        "query($c:ID!){conversation(id:$c){lastMessage{text sender{id}} viewerUnreadCount}}";
    let seen = bob.query(document, json!({ "c": group })).await;
    let expected =
        json!({"lastMessage": {"text": "I was here", "sender": null}, "viewerUnreadCount": 1});
    assert_eq!(seen.at("/conversation"), &expected, "at once");
    assert_eq!(
        members(&has_members(&bob, &group, 1).await),
        [("bob".into(), "OWNER".into())]
    );
    let between = has_members(&bob, &direct, 1).await;
    assert!(between.at("/conversation/peer").is_null());
    assert_eq!(bob.texts(&direct).await, ["I was here"]);
    bob.send(&direct, "hello?", None)
        .await
        .is_refused("NOT_FRIENDS", "");
    until(|| async {
        let friends = bob.query("{viewer{friends{totalCount}}}", json!({})).await;
        (friends.number("/viewer/friends/totalCount") == 0).then_some(())
    })
    .await;
    until(|| async {
        let node = "query($id:ID!){node(id:$id){...on FriendRequest{status recipient{id}}}}";
        let seen = carol.query(node, json!({ "id": asked })).await;
        (seen.at("/node") == &json!({"status": "CANCELLED", "recipient": null})).then_some(())
    })
    .await;
    let blocks = carol
        .query("{viewer{blocks{edges{node{user{handle}}}}}}", json!({}))
        .await;
    assert_eq!(
        blocks.text("/viewer/blocks/edges/0/node/user/handle"),
        "bob"
    );
}

#[tokio::test]
async fn blocks_end_with_either_account() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    for (one, other) in [(&alice, &bob), (&bob, &alice), (&bob, &carol)] {
        let input = json!({"userId": other.id});
        one.mutate("blockUser", "block{id}", input).await;
    }
    assert_eq!(app.db_count("blocks").await, 3);
    delete(&alice).await;
    let blocks = "{viewer{blocks{edges{node{user{handle}}}}}}";
    let only_carol = json!({"edges": [{"node": {"user": {"handle": "carol"}}}]});
    assert_eq!(
        bob.query(blocks, json!({})).await.at("/viewer/blocks"),
        &only_carol,
        "never shown with nobody in it"
    );
    until(|| async { (app.db_count("blocks").await == 1).then_some(()) }).await;
}

#[tokio::test]
async fn what_they_owned_goes_to_the_oldest_admin_else_the_oldest_member_else_is_deleted() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let (carol, dave) = tokio::join!(app.sign_up("carol"), app.sign_up("dave"));
    let with_admins = alice.group("Admins", &[&bob, &carol, &dave]).await;
    for admin in [&dave, &carol] {
        let input = json!({"conversationId": with_admins, "userId": admin.id, "role": "ADMIN"});
        alice
            .mutate("changeMemberRole", "membership{id}", input)
            .await;
    }
    let without = alice.group("Members", &[&bob, &carol]).await;
    let archived = alice.group("Archived", &[&dave]).await;
    let put_away = json!({"conversationId": archived});
    alice
        .mutate("archiveConversation", "conversation{id}", put_away)
        .await;
    let alone = alice.channel("Alone").await;
    delete(&alice).await;
    let owner = |seen: Reply| {
        let owner = members(&seen).into_iter().find(|(_, role)| role == "OWNER");
        owner.expect("an owner").0
    };
    assert_eq!(
        owner(has_members(&bob, &with_admins, 3).await),
        "carol",
        "the admin who joined first"
    );
    assert_eq!(owner(has_members(&bob, &without, 2).await), "bob");
    assert_eq!(owner(has_members(&dave, &archived, 1).await), "dave");
    until(|| async {
        let seen = bob
            .query(
                "query($c:ID!){conversation(id:$c){id}}",
                json!({ "c": alone }),
            )
            .await;
        seen.at("/conversation").is_null().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_restart_in_the_middle_goes_on_with_it() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let mut groups = Vec::new();
    for n in 0..150 {
        groups.push(alice.group(&format!("Group {n}"), &[&bob]).await);
    }
    delete(&alice).await;
    app.stop().await;
    assert_eq!(app.db_count("closing_accounts").await, 1, "in the middle");
    let app = app.open_again().await.expect("the server again");
    let bob = bob.at(&app.url);
    for group in &groups {
        assert_eq!(
            members(&has_members(&bob, group, 1).await),
            [("bob".into(), "OWNER".into())]
        );
    }
    until(|| async { (app.db_count("closing_accounts").await == 0).then_some(()) }).await;
}

#[tokio::test]
async fn what_two_owned_who_go_at_once_goes_to_a_third_or_nobody() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let direct = {
        alice.befriend(&bob).await;
        alice.direct(&bob).await
    };
    let group = alice.group("Walks", &[&bob, &carol]).await;
    let two = alice.group("Two", &[&bob]).await;
    let admin = json!({"conversationId": group, "userId": bob.id, "role": "ADMIN"});
    alice
        .mutate("changeMemberRole", "membership{id}", admin)
        .await;
    tokio::join!(delete(&alice), delete(&bob));
    let left = has_members(&carol, &group, 1).await;
    assert_eq!(members(&left), [("carol".into(), "OWNER".into())]);
    until(|| async { (app.db_count("closing_accounts").await == 0).then_some(()) }).await;
    let gone = "conversations WHERE deleted_position IS NOT NULL";
    assert_eq!(app.db_count(gone).await, 2, "{two} and {direct}");
}

#[tokio::test]
async fn names_of_closed_accounts_hide_nobody_from_a_search() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    for n in 0..4 {
        delete(&app.sign_up(&format!("gone_{n}")).await).await;
    }
    app.sign_up("clown").await;
    let document = "{users(search:\"clo\",first:2){edges{node{handle}}}}";
    let found = alice.query(document, json!({})).await;
    assert_eq!(
        found.at("/users"),
        &json!({"edges": [{"node": {"handle": "clown"}}]})
    );
}
