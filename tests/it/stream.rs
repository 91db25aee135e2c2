//! Following a conversation: live, from a number on, behind, and not any more.

use parlor::model::Limits;
use serde_json::json;

use crate::support::{Socket, TestApp, socket::FOLLOW};

#[tokio::test]
async fn everybody_who_follows_hears_a_message_as_it_is_stored() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let (mut hers, mut his) = (alice.socket().await, bob.socket().await);
    hers.follow("a", &group, None).await;
    his.follow("b", &group, None).await;
    let sent = alice.send(&group, "hello", None).await;
    let heard = his.message().await;
    assert_eq!(heard, hers.message().await);
    for field in ["id", "seq", "text", "sentAt"] {
        assert_eq!(
            heard[field],
            *sent.at(&format!("/messageEdge/node/{field}")),
            "{field}"
        );
    }
    assert_eq!(heard["sender"]["id"], alice.id);
}

#[tokio::test]
async fn a_stream_without_a_number_starts_now() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    for round in 0..20 {
        alice.say(&group, "before").await;
        let mut socket = alice.socket().await;
        socket.follow("1", &group, None).await;
        let after = format!("after {round}");
        alice.say(&group, &after).await;
        assert_eq!(socket.texts(1).await, [after]);
    }
}

#[tokio::test]
async fn a_stream_with_a_number_goes_on_behind_it() {
    let app = TestApp::start_with(Limits {
        catch_up_page: 7,
        rate_limits: false,
        ..Limits::default()
    })
    .await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let texts: Vec<_> = (1..=30).map(|n| n.to_string()).collect();
    for text in &texts[..25] {
        alice.say(&group, text).await;
    }
    let mut socket = alice.socket().await;
    socket
        .subscribe("1", FOLLOW, json!({"c": group, "a": 3}))
        .await;
    assert_eq!(socket.texts(22).await, texts[3..25]);
    for text in &texts[25..] {
        alice.say(&group, text).await;
    }
    assert_eq!(socket.texts(5).await, texts[25..]);
    let mut beyond = alice.socket().await;
    beyond
        .subscribe("1", FOLLOW, json!({"c": group, "a": 31}))
        .await;
    let refused = beyond.hear().await;
    assert_eq!(
        refused["payload"][0]["extensions"]["code"], "BAD_USER_INPUT",
        "another history: {refused}"
    );
    beyond.follow("2", &group, Some(30)).await;
    alice.say(&group, "31").await;
    assert_eq!(beyond.texts(1).await, ["31"]);
}

#[tokio::test]
async fn a_listener_who_falls_behind_loses_nothing() {
    let limits = Limits {
        tail_news_max: 4,
        catch_up_page: 5,
        rate_limits: false,
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let mut socket = bob.socket().await;
    socket.follow("1", &group, None).await;
    // Nobody reads the socket while much more is sent than it and the tail hold.
    let long = "x".repeat(9_000);
    let mut sending = alice.socket().await;
    for n in 1..=600 {
        sending
            .send(
                &n.to_string(),
                &group,
                &format!("{n} {long}"),
                &n.to_string(),
            )
            .await
            .expect("sent");
        while sending.hear().await["type"] != "complete" {}
    }
    for n in 1..=600 {
        assert_eq!(socket.message().await["seq"], n);
    }
}

#[tokio::test]
async fn a_removed_member_stops_hearing_the_conversation() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob, &carol]).await;
    let (mut his, mut hers) = (bob.socket().await, carol.socket().await);
    his.follow("b", &group, None).await;
    hers.follow("c", &group, None).await;
    alice.say(&group, "all of you").await;
    alice
        .mutate(
            "removeMember",
            "conversation{id}",
            json!({"conversationId": group, "userId": bob.id}),
        )
        .await;
    alice.say(&group, "without bob").await;
    assert_eq!(his.message().await["text"], "all of you");
    assert_eq!(his.hear().await, json!({"id": "b", "type": "complete"}));
    assert_eq!(hers.texts(2).await, ["all of you", "without bob"]);
    his.subscribe("again", FOLLOW, json!({"c": group, "a": 0}))
        .await;
    let refused = his.hear().await;
    assert_eq!(
        (
            &refused["type"],
            &refused["payload"][0]["extensions"]["code"]
        ),
        (&json!("error"), &json!("FORBIDDEN"))
    );
}

#[tokio::test]
async fn who_was_removed_while_behind_hears_nothing_of_what_came_after() {
    let limits = Limits {
        tail_news_max: 1,
        catch_up_page: 1,
        rate_limits: false,
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    for round in 0..20 {
        let before = alice.say(&group, "before").await;
        let mut socket = bob.socket().await;
        socket
            .subscribe("1", FOLLOW, json!({"c": group, "a": 0}))
            .await;
        alice
            .mutate(
                "removeMember",
                "conversation{id}",
                json!({"conversationId": group, "userId": bob.id}),
            )
            .await;
        alice.say(&group, "secret").await;
        let mut last = 0;
        loop {
            let heard = socket.hear().await;
            if heard["type"] != "next" {
                assert!(
                    heard["type"] == "complete" || heard["type"] == "error",
                    "{heard}"
                );
                break;
            }
            last = heard["payload"]["data"]["messageSent"]["seq"]
                .as_i64()
                .expect("a number");
        }
        assert!(
            last <= before,
            "round {round}: heard {last}, removed after {before}"
        );
        alice
            .mutate(
                "addMembers",
                "conversation{id}",
                json!({"conversationId": group, "userIds": [bob.id]}),
            )
            .await;
    }
}

#[tokio::test]
async fn leaving_ends_the_stream_and_so_does_the_end_of_the_group() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let (mut hers, mut his) = (alice.socket().await, bob.socket().await);
    hers.follow("a", &group, None).await;
    his.follow("b", &group, None).await;
    let leave = json!({"conversationId": group});
    bob.mutate("leaveConversation", "leftConversationId", leave.clone())
        .await;
    assert_eq!(his.hear().await, json!({"id": "b", "type": "complete"}));
    alice
        .mutate("leaveConversation", "leftConversationId", leave)
        .await;
    assert_eq!(hers.hear().await, json!({"id": "a", "type": "complete"}));
}

#[tokio::test]
async fn streams_that_may_not_be_opened_say_why() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[]).await;
    let mut his = bob.socket().await;
    for (conversation, after, code) in [
        (group.as_str(), None, "FORBIDDEN"),
        ("nonsense", None, "FORBIDDEN"),
        (&bob.id, Some(1), "FORBIDDEN"),
    ] {
        his.subscribe("1", FOLLOW, json!({"c": conversation, "a": after}))
            .await;
        let refused = his.hear().await;
        assert_eq!(
            (
                &refused["type"],
                &refused["payload"][0]["extensions"]["code"]
            ),
            (&json!("error"), &json!(code))
        );
    }
    let mut hers = alice.socket().await;
    hers.subscribe("1", FOLLOW, json!({"c": group, "a": -1}))
        .await;
    assert_eq!(
        hers.hear().await["payload"][0]["extensions"]["code"],
        "BAD_USER_INPUT"
    );
    let mut nobodys = Socket::signed_in(&app.url, None).await;
    nobodys.subscribe("1", FOLLOW, json!({"c": group})).await;
    assert_eq!(
        nobodys.hear().await["payload"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn what_depends_on_who_listens_is_each_listener_s_own() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let document = "subscription($c:ID!){messageSent(conversationId:$c){seq conversation{viewerUnreadCount viewerMembership{role}}}}";
    let (mut hers, mut his) = (alice.socket().await, bob.socket().await);
    for socket in [&mut hers, &mut his] {
        socket.subscribe("1", document, json!({"c": group})).await;
    }
    app.listened_to(1).await;
    hers.follow("2", &group, Some(0)).await;
    his.follow("2", &group, Some(0)).await;
    alice.say(&group, "hello").await;
    for (socket, role, unread) in [(&mut hers, "OWNER", 0), (&mut his, "MEMBER", 1)] {
        let (one, two) = (socket.message().await, socket.message().await);
        let own = if one["conversation"].is_null() {
            two
        } else {
            one
        };
        assert_eq!(
            own["conversation"],
            json!({"viewerUnreadCount": unread, "viewerMembership": {"role": role}})
        );
    }
}

#[tokio::test]
async fn a_changed_name_is_on_the_next_message() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let mut socket = alice.socket().await;
    socket.follow("1", &group, None).await;
    for name in ["Alice", "Alicia", "Ali"] {
        alice
            .mutate("updateProfile", "user{id}", json!({"displayName": name}))
            .await;
        alice.say(&group, "who am I?").await;
        assert_eq!(socket.message().await["sender"]["displayName"], name);
    }
}

#[tokio::test]
async fn nobody_listens_after_everybody_has_gone() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let mut socket = alice.socket().await;
    socket.follow("1", &group, None).await;
    app.listened_to(1).await;
    socket.say(&json!({"id": "1", "type": "complete"})).await;
    app.listened_to(0).await;
    socket.follow("1", &group, None).await;
    app.listened_to(1).await;
    drop(socket);
    app.nobody_listens().await;
}

#[tokio::test]
async fn a_message_from_before_a_removal_shows_nothing_from_after_it() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let document = "subscription($c:ID!){messageSent(conversationId:$c){
        text conversation{lastMessage{text} messages(last:9){edges{node{text}}}}}}";
    for _ in 0..20 {
        let group = alice.group("Walks", &[&bob]).await;
        let mut his = bob.socket().await;
        his.subscribe("1", document, json!({"c": group})).await;
        app.listened_to(1).await;
        let remove = json!({"conversationId": group, "userId": bob.id});
        tokio::join!(
            alice.say(&group, "before"),
            alice.mutate("removeMember", "conversation{id}", remove)
        );
        alice.say(&group, "secret").await;
        loop {
            let heard = his.hear().await;
            assert!(!heard.to_string().contains("secret"), "{heard}");
            if heard["type"] != "next" {
                assert_eq!(heard, json!({"id": "1", "type": "complete"}));
                break;
            }
        }
        drop(his);
        app.nobody_listens().await;
    }
}
