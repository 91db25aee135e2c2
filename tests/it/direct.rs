//! Two friends and the one conversation they have with each other.

use serde_json::{Value, json};

use crate::support::{Client, TestApp};

const CAN: &str = "query($c:ID!){conversation(id:$c){kind title memberCount peer{handle} viewerMembership{role readSeq}
    viewerCan{send sendRefusal addMembers archive changeRoles delete join leave removeMembers update}}}";

async fn can(who: &Client, direct: &str) -> Value {
    let seen = who.query(CAN, json!({ "c": direct })).await;
    seen.at("/conversation").clone()
}

async fn with_user(who: &Client, field: &str, whom: &Client) {
    let done = who
        .mutate(field, "__typename", json!({"userId": whom.id}))
        .await;
    assert_eq!(done.refusals(), []);
}

#[tokio::test]
async fn two_friends_have_one_conversation_whoever_opens_it() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    alice
        .open_direct(&bob)
        .await
        .is_refused("NOT_FRIENDS", "userId");
    alice
        .open_direct(&alice)
        .await
        .is_refused("INVALID_INPUT", "userId");
    alice.befriend(&bob).await;
    let opened = alice.open_direct(&bob).await;
    let direct = opened.text("/conversation/id");
    let expected = json!({"id": direct, "kind": "DIRECT", "title": null, "memberCount": 2, "peer": {"id": bob.id}});
    assert_eq!(opened.at("/conversation"), &expected);
    assert_eq!(opened.at("/wasCreated"), true);
    let again = bob.open_direct(&alice).await;
    assert_eq!(
        (again.text("/conversation/id"), again.at("/wasCreated")),
        (direct.clone(), &json!(false))
    );
    assert_eq!(again.text("/conversation/peer/id"), alice.id);
    bob.say(&direct, "hi").await;
    assert_eq!(alice.texts(&direct).await, ["hi"]);
    let document =
        "{viewer{unreadCount conversations(kinds:[DIRECT]){edges{node{id viewerUnreadCount}}}}}";
    let listed = alice.query(document, json!({})).await;
    assert_eq!(
        listed.at("/viewer"),
        &json!({"unreadCount": 1, "conversations": {"edges": [{"node": {"id": direct, "viewerUnreadCount": 1}}]}})
    );
}

#[tokio::test]
async fn what_belongs_to_groups_is_refused_between_two() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    alice.befriend(&bob).await;
    alice.befriend(&carol).await;
    let direct = alice.direct(&bob).await;
    let only_talk = json!({"kind": "DIRECT", "title": null, "memberCount": 2, "peer": {"handle": "bob"},
        "viewerMembership": {"role": "MEMBER", "readSeq": 0},
        "viewerCan": {"send": true, "sendRefusal": null, "addMembers": false, "archive": false, "changeRoles": false,
            "delete": false, "join": false, "leave": false, "removeMembers": false, "update": false}});
    assert_eq!(can(&alice, &direct).await, only_talk);
    let there = json!({ "conversationId": direct });
    let with = |field: &str, value: Value| {
        let mut input = there.clone();
        input[field] = value;
        input
    };
    let role = json!({"conversationId": direct, "userId": bob.id, "role": "ADMIN"});
    for (field, input) in [
        ("addMembers", with("userIds", json!([carol.id]))),
        ("removeMember", with("userId", json!(bob.id))),
        ("leaveConversation", there.clone()),
        ("archiveConversation", there.clone()),
        ("unarchiveConversation", there.clone()),
        ("deleteConversation", there.clone()),
        ("joinChannel", there.clone()),
        ("updateConversation", with("title", json!("Us"))),
        ("unbanUser", with("userId", json!(bob.id))),
        ("changeMemberRole", role),
    ] {
        alice
            .mutate(field, "__typename", input.clone())
            .await
            .is_refused("FORBIDDEN", "");
        carol
            .mutate(field, "__typename", input)
            .await
            .is_refused("NOT_FOUND", "conversationId");
    }
    assert_eq!(can(&alice, &direct).await, only_talk, "nothing changed");
    assert_eq!(can(&carol, &direct).await, json!(null));
}

#[tokio::test]
async fn after_a_friendship_it_is_read_and_not_written_until_there_is_one_again() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    alice.befriend(&bob).await;
    let direct = alice.direct(&bob).await;
    let sent = alice.send(&direct, "before", Some("key-1")).await;
    for (end, who, whom) in [
        ("removeFriend", &alice, &bob),
        ("removeFriend", &bob, &alice),
        ("blockUser", &alice, &bob),
        ("blockUser", &bob, &alice),
    ] {
        with_user(who, end, whom).await;
        for (one, other) in [(&alice, &bob), (&bob, &alice)] {
            one.send(&direct, "after", None)
                .await
                .is_refused("NOT_FRIENDS", "");
            one.open_direct(other)
                .await
                .is_refused("NOT_FRIENDS", "userId");
            let seen = can(one, &direct).await;
            assert_eq!(
                (
                    &seen["viewerCan"]["send"],
                    &seen["viewerCan"]["sendRefusal"]
                ),
                (&json!(false), &json!("NOT_FRIENDS"))
            );
            assert_eq!(
                one.texts(&direct).await.first().map(String::as_str),
                Some("before")
            );
            let read = json!({"conversationId": direct, "seq": 1});
            let read = one.mutate("markRead", "membership{readSeq}", read).await;
            assert_eq!(read.refusals(), []);
        }
        let retried = alice.send(&direct, "before", Some("key-1")).await;
        assert_eq!(
            retried.at("/messageEdge"),
            sent.at("/messageEdge"),
            "a retry still gives its message"
        );
        if end == "blockUser" {
            with_user(who, "unblockUser", whom).await;
        }
        alice.befriend(&bob).await;
        assert_eq!(bob.direct(&alice).await, direct, "the same as before");
        bob.say(&direct, "again").await;
    }
}

#[tokio::test]
async fn a_stream_between_two_goes_on_in_silence_when_they_are_friends_no_more() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    alice.befriend(&bob).await;
    let direct = alice.direct(&bob).await;
    let mut socket = bob.socket().await;
    socket.follow("1", &direct, None).await;
    with_user(&alice, "removeFriend", &bob).await;
    alice
        .send(&direct, "never", None)
        .await
        .is_refused("NOT_FRIENDS", "");
    alice.befriend(&bob).await;
    alice.say(&direct, "friends again").await;
    assert_eq!(socket.texts(1).await, ["friends again"]);
}
