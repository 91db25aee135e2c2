//! Messages: sending, reading, and how far somebody has read.

use parlor::model::Limits;
use serde_json::json;

use crate::support::{Client, Reply, TestApp};

async fn mark(who: &Client, field: &str, group: &str, seq: i64) -> Reply {
    let selection = "membership{readSeq conversation{lastSeq viewerUnreadCount}}";
    who.mutate(
        field,
        selection,
        json!({"conversationId": group, "seq": seq}),
    )
    .await
}

async fn unread(who: &Client) -> i64 {
    who.query("{viewer{unreadCount}}", json!({}))
        .await
        .number("/viewer/unreadCount")
}

#[tokio::test]
async fn a_message_is_there_as_it_was_sent_once_its_sender_was_told() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let text = "  Grüße 😀\n\tand a \"quote\" \\ \u{2028} ";
    let sent = alice.send(&group, text, Some("key-1")).await;
    assert_eq!(sent.number("/messageEdge/node/seq"), 1);
    let app = app.restart().await;
    let bob = bob.at(&app.url);
    let history = bob.history(&group).await;
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["text"], text);
    assert_eq!(history[0]["id"], *sent.at("/messageEdge/node/id"));
    assert_eq!(history[0]["sender"]["id"], alice.id);
    assert_eq!(history[0]["idempotencyKey"], "key-1");
}

#[tokio::test]
async fn texts_that_are_blank_or_too_long_are_refused_and_stored_nowhere() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    for text in ["", "   ", "\n\u{3000}", &"x".repeat(10_001), "nul \0"] {
        alice
            .send(&group, text, None)
            .await
            .is_refused("INVALID_INPUT", "text");
    }
    alice
        .send(&group, "x", Some(""))
        .await
        .is_refused("INVALID_INPUT", "idempotencyKey");
    alice
        .send(&group, "x", Some(&"k".repeat(65)))
        .await
        .is_refused("INVALID_INPUT", "idempotencyKey");
    for elsewhere in ["", "conversation_0", &alice.id, &group.to_uppercase()] {
        alice
            .send(elsewhere, "x", None)
            .await
            .is_refused("NOT_FOUND", "conversationId");
    }
    assert_eq!(
        alice.say(&group, &"😀".repeat(10_000)).await,
        1,
        "10,000 code points are not too long"
    );
}

#[tokio::test]
async fn strangers_do_not_send_and_do_not_learn_that_there_is_a_group() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[]).await;
    let there = bob.send(&group, "hello", None).await;
    let nowhere = bob
        .send("conversation_00000000000000000000000000", "hello", None)
        .await;
    there.is_refused("NOT_FOUND", "conversationId");
    assert_eq!(there, nowhere);
    let document =
        "mutation($c:ID!){sendMessage(input:{conversationId:$c,text:\"x\"}){userErrors{code}}}";
    assert_eq!(
        app.anonymous()
            .run(document, json!({"c": group}))
            .await
            .codes(),
        ["UNAUTHENTICATED"]
    );
}

#[tokio::test]
async fn numbers_have_no_gap_and_times_never_go_back_though_the_clock_does() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    for turn in [0, 5_000, -3_600_000, 10, -1] {
        app.clock.turn(turn);
        alice.say(&group, &format!("{turn}")).await;
    }
    let history = alice.history(&group).await;
    let seqs: Vec<_> = history
        .iter()
        .map(|message| message["seq"].as_i64().expect("a number"))
        .collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    let times: Vec<_> = history
        .iter()
        .map(|message| message["sentAt"].as_str().expect("a time").to_owned())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(
        times
            .iter()
            .all(|time| time.len() == "2026-01-31T09:30:00.000Z".len()),
        "{times:?}"
    );
}

#[tokio::test]
async fn history_pages_from_either_end_and_around_a_message() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    for n in 1..=9 {
        alice.say(&group, &n.to_string()).await;
    }
    let page = |arguments: &str| {
        let document = format!(
            "query($c:ID!){{conversation(id:$c){{messages({arguments}){{pageInfo{{hasNextPage hasPreviousPage startCursor endCursor}} edges{{cursor node{{text}}}}}}}}}}"
        );
        let (alice, group) = (alice.clone(), group.clone());
        async move {
            let page = Reply(
                alice
                    .query(&document, json!({"c": group}))
                    .await
                    .at("/conversation/messages")
                    .clone(),
            );
            let edges = page.at("/edges").as_array().expect("edges");
            let texts: String = edges
                .iter()
                .map(|edge| edge["node"]["text"].as_str().expect("a text"))
                .collect();
            let more = (
                page.at("/pageInfo/hasPreviousPage") == true,
                page.at("/pageInfo/hasNextPage") == true,
            );
            (texts, more, page)
        }
    };
    let (texts, more, newest) = page("last:3").await;
    assert_eq!((texts.as_str(), more), ("789", (true, false)));
    let (texts, more, _) = page(&format!(
        "last:3,before:\"{}\"",
        newest.text("/pageInfo/startCursor")
    ))
    .await;
    assert_eq!((texts.as_str(), more), ("456", (true, true)));
    let (texts, more, oldest) = page("first:4").await;
    assert_eq!((texts.as_str(), more), ("1234", (false, true)));
    let (texts, more, _) = page(&format!(
        "first:9,after:\"{}\"",
        oldest.text("/pageInfo/endCursor")
    ))
    .await;
    assert_eq!((texts.as_str(), more), ("56789", (true, false)));
    assert_eq!(page("last:3,beforeSeq:5").await.0, "234");
    assert_eq!(page("first:3,afterSeq:4").await.0, "567");
    assert_eq!(page("first:9,afterSeq:2,beforeSeq:5").await.0, "34");
    let (texts, _, beyond) = page("first:3,afterSeq:2147483647").await;
    assert_eq!(texts, "");
    assert!(beyond.at("/pageInfo/startCursor").is_null());
    let one = "query($c:ID!$s:Int!){conversation(id:$c){message(seq:$s){text} lastMessage{seq}}}";
    let find = |seq: i64| alice.query(one, json!({"c": group, "s": seq}));
    assert_eq!(
        find(4).await.at("/conversation"),
        &json!({"message": {"text": "4"}, "lastMessage": {"seq": 9}})
    );
    for seq in [0, -1, 10, i64::from(i32::MIN)] {
        assert!(find(seq).await.at("/conversation/message").is_null());
    }
}

#[tokio::test]
async fn reading_marks_go_forwards_by_reading_and_back_on_purpose() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    for n in 1..=5 {
        alice.say(&group, &n.to_string()).await;
    }
    assert_eq!(
        (unread(&alice).await, unread(&bob).await),
        (0, 5),
        "sending is reading"
    );
    let after = mark(&bob, "markRead", &group, 3).await;
    assert_eq!(
        after.at("/membership"),
        &json!({"readSeq": 3, "conversation": {"lastSeq": 5, "viewerUnreadCount": 2}})
    );
    assert_eq!(
        mark(&bob, "markRead", &group, 1)
            .await
            .number("/membership/readSeq"),
        3,
        "never backwards"
    );
    assert_eq!(
        mark(&bob, "markUnread", &group, 2)
            .await
            .number("/membership/readSeq"),
        1
    );
    assert_eq!(
        mark(&bob, "markUnread", &group, 4)
            .await
            .number("/membership/readSeq"),
        1,
        "never forwards"
    );
    assert_eq!(unread(&bob).await, 4);
    assert_eq!(bob.say(&group, "six").await, 6);
    assert_eq!(unread(&bob).await, 0);
    for (field, seq) in [
        ("markRead", 7),
        ("markRead", -1),
        ("markUnread", 0),
        ("markUnread", 7),
        ("markUnread", -3),
    ] {
        mark(&bob, field, &group, seq)
            .await
            .is_refused("INVALID_INPUT", "seq");
    }
    let carol = app.sign_up("carol").await;
    mark(&carol, "markRead", &group, 1)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    assert_eq!(unread(&bob).await, 0);
}

#[tokio::test]
async fn who_sends_too_fast_is_told_when_to_go_on() {
    let app = TestApp::start_with(Limits {
        sends_per_second: 1,
        sends_burst: 3,
        ..Limits::default()
    })
    .await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    for n in 1..=3 {
        assert_eq!(alice.say(&group, "quick").await, n);
    }
    let document =
        "mutation($c:ID!){sendMessage(input:{conversationId:$c,text:\"x\"}){userErrors{code}}}";
    let limited = alice.run(document, json!({"c": group})).await;
    assert_eq!(limited.codes(), ["RATE_LIMITED"]);
    assert!(limited.number("/errors/0/extensions/retryAfterMs") <= 1_000);
    app.clock.turn(1_000);
    assert_eq!(alice.say(&group, "slow").await, 4);
}
