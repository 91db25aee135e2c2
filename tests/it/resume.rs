//! Coming back: what was missed is told, once, however long ago.

use parlor::model::Limits;
use serde_json::{Value, json};

use crate::support::{Client, TestApp, events::all_in_words};

async fn act(who: &Client, field: &str, input: Value) {
    let reply = who.mutate(field, "__typename", input).await;
    assert_eq!(reply.refusals(), [], "{field}");
}

#[tokio::test]
async fn who_was_away_is_told_what_the_others_heard_in_the_same_order() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    alice.befriend(&bob).await;
    let after = bob.event_cursor().await;
    let mut at_home = bob.events_after(&after).await;
    let group = alice.group("Walks", &[&bob]).await;
    let other = alice.group("Talks", &[&bob]).await;
    for n in 1..=5 {
        alice.say(&group, &format!("walk {n}")).await;
        alice.say(&other, &format!("talk {n}")).await;
    }
    act(
        &alice,
        "updateConversation",
        json!({"conversationId": group, "topic": "Up and down"}),
    )
    .await;
    act(&bob, "markRead", json!({"conversationId": group, "seq": 4})).await;
    act(&bob, "updateProfile", json!({"displayName": "Bobby"})).await;
    alice.say(&other, "the end").await;
    let mut heard = Vec::new();
    while heard
        .last()
        .is_none_or(|last: &Value| last["messageEdge"]["node"]["text"] != json!("the end"))
    {
        heard.push(at_home.event().await);
    }
    let (missed, _) = bob.missed(&after).await;
    assert_eq!(all_in_words(&missed), all_in_words(&heard));
    let ids = |events: &[Value]| -> Vec<_> {
        let of = |event: &Value| (event["id"].clone(), event["occurredAt"].clone());
        events.iter().map(of).collect()
    };
    assert_eq!(
        ids(&missed),
        ids(&heard),
        "the same event has the same identifier and time"
    );
}

#[tokio::test]
async fn a_restart_between_is_not_noticed() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let mut his = bob.events().await;
    alice.say(&group, "one").await;
    assert_eq!(his.told(1).await, ["MessageSent one"]);
    alice.say(&group, "two").await;
    let after = his.cursor.clone();
    drop(his);
    let app = app.restart().await;
    let (alice, bob) = (alice.at(&app.url), bob.at(&app.url));
    alice.say(&group, "three").await;
    let mut his = bob.events_after(&after).await;
    assert_eq!(his.told(2).await, ["MessageSent two", "MessageSent three"]);
    alice.say(&group, "four").await;
    assert_eq!(his.told(1).await, ["MessageSent four"]);
}

#[tokio::test]
async fn what_was_missed_comes_in_frames_and_each_can_be_gone_on_from() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let after = bob.event_cursor().await;
    let texts: Vec<_> = (1..=250).map(|n| n.to_string()).collect();
    for text in &texts {
        alice.say(&group, text).await;
    }
    let mut his = bob.events_after(&after).await;
    let (mut heard, mut cursors) = (Vec::new(), vec![(after, 0)]);
    loop {
        let frame = his.frame().await;
        assert!(frame.events().len() <= 100);
        heard.extend(all_in_words(frame.events()));
        cursors.push((frame.cursor(), heard.len()));
        if frame.is_caught_up() {
            break;
        }
    }
    assert_eq!(cursors.len(), 4, "two full frames and a rest");
    let expected: Vec<_> = texts
        .iter()
        .map(|text| format!("MessageSent {text}"))
        .collect();
    assert_eq!(heard, expected);
    for (cursor, heard) in cursors {
        let (missed, _) = bob.missed(&cursor).await;
        assert_eq!(all_in_words(&missed), expected[heard..]);
    }
}

#[tokio::test]
async fn who_was_removed_meanwhile_is_told_that_and_nothing_else() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let after = bob.event_cursor().await;
    alice.say(&group, "before").await;
    let input = json!({"conversationId": group, "userId": bob.id});
    act(&alice, "removeMember", input.clone()).await;
    alice.say(&group, "between").await;
    let (missed, at) = bob.missed(&after).await;
    assert_eq!(all_in_words(&missed), ["ConversationRemoved REMOVED"]);
    let again = json!({"conversationId": group, "userIds": [bob.id]});
    act(&alice, "addMembers", again.clone()).await;
    act(&alice, "removeMember", input).await;
    act(&alice, "addMembers", again).await;
    alice.say(&group, "after").await;
    for (cursor, told) in [
        (
            after,
            [
                "ConversationRemoved REMOVED",
                "ConversationAdded Walks",
                "MessageSent after",
            ],
        ),
        (
            at,
            [
                "ConversationRemoved REMOVED",
                "ConversationAdded Walks",
                "MessageSent after",
            ],
        ),
    ] {
        let (missed, _) = bob.missed(&cursor).await;
        assert_eq!(
            all_in_words(&missed),
            told,
            "the last removal, the last joining, and what follows"
        );
    }
}

#[tokio::test]
async fn what_is_gone_is_left_out() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let after = alice.event_cursor().await;
    let group = alice.group("Walks", &[&bob]).await;
    alice.say(&group, "hello").await;
    act(&alice, "blockUser", json!({"userId": bob.id})).await;
    act(
        &alice,
        "deleteConversation",
        json!({"conversationId": group}),
    )
    .await;
    let (missed, _) = alice.missed(&after).await;
    let told = all_in_words(&missed);
    assert!(
        !told.iter().any(|told| told.starts_with("MessageSent")),
        "{told:?}"
    );
    assert!(
        !told.iter().any(|told| told.starts_with("FriendAdded")),
        "{told:?}"
    );
    assert!(
        !told
            .iter()
            .any(|told| told.starts_with("ConversationAdded")),
        "{told:?}"
    );
    assert_eq!(
        told.last().map(String::as_str),
        Some("ConversationRemoved DELETED")
    );
    assert!(told.contains(&"FriendRemoved bob".to_owned()), "{told:?}");
    assert!(
        told.contains(&"BlockChanged bob BLOCKED".to_owned()),
        "{told:?}"
    );
}

#[tokio::test]
async fn of_a_removal_and_a_deletion_the_last_is_told() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let after = bob.event_cursor().await;
    let there = json!({"conversationId": group, "userId": bob.id});
    act(&alice, "removeMember", there).await;
    let again = json!({"conversationId": group, "userIds": [bob.id]});
    act(&alice, "addMembers", again).await;
    act(
        &alice,
        "deleteConversation",
        json!({"conversationId": group}),
    )
    .await;
    let (missed, _) = bob.missed(&after).await;
    assert_eq!(all_in_words(&missed), ["ConversationRemoved DELETED"]);
}

#[tokio::test]
async fn an_event_keeps_its_identifier_when_its_twin_is_left_out() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    alice.befriend(&bob).await;
    alice.direct(&bob).await;
    act(&alice, "removeFriend", json!({"userId": bob.id})).await;
    let mut hers = alice.events().await;
    let after = hers.cursor.clone();
    alice.befriend(&bob).await;
    let mut live = Vec::new();
    for _ in 0..4 {
        live.push(hers.event().await);
    }
    assert_eq!(
        all_in_words(&live[2..]),
        ["FriendAdded bob", "ConversationUpdated null"],
        "one change is two events"
    );
    act(&alice, "removeFriend", json!({"userId": bob.id})).await;
    let (missed, _) = alice.missed(&after).await;
    let is_there = |event: &Value| missed.iter().any(|other| other["id"] == event["id"]);
    assert!(!is_there(&live[2]), "the friendship is gone");
    let updated = missed.iter().find(|other| other["id"] == live[3]["id"]);
    assert_eq!(
        updated.map(|event| &event["__typename"]),
        Some(&json!("ConversationUpdatedEvent"))
    );
}

#[tokio::test]
async fn of_read_marks_and_profiles_the_newest_is_told() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    for n in 1..=5 {
        alice.say(&group, &n.to_string()).await;
    }
    let after = alice.event_cursor().await;
    for seq in 1..=5 {
        act(
            &bob,
            "markRead",
            json!({"conversationId": group, "seq": seq}),
        )
        .await;
        act(
            &bob,
            "updateProfile",
            json!({"displayName": format!("Bob {seq}")}),
        )
        .await;
    }
    let (missed, _) = alice.missed(&after).await;
    assert_eq!(
        all_in_words(&missed),
        ["ReadStatusChanged bob 5", "UserUpdated Bob 5"]
    );
    bob.say(&group, "and more").await;
    // She may come back before the hub knows of it; then it is told as it happens.
    assert_eq!(
        alice.events_after(&after).await.told(2).await,
        ["UserUpdated Bob 5", "MessageSent and more"],
        "a mark that moved on with a message is told by that"
    );
}

#[tokio::test]
async fn a_cursor_that_is_none_is_answered_with_one_that_is() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let good = alice.event_cursor().await;
    let elsewhere = TestApp::start().await;
    let stranger = elsewhere.sign_up("alice").await;
    let mut broken = vec![
        String::new(),
        "cursor".to_owned(),
        good[..good.len() - 1].to_owned(),
        good.to_lowercase(),
        format!("{good}A"),
        "A".repeat(10_000),
        "💥".to_owned(),
        stranger.event_cursor().await,
    ];
    let mut later = alice.events().await;
    alice.say(&group, "one").await;
    later.frame().await;
    broken.push(good.replacen(&good[3..4], if &good[3..4] == "A" { "B" } else { "A" }, 1));
    for cursor in broken {
        let mut hers = alice.events_after(&cursor).await;
        let frame = hers.frame().await;
        assert_eq!(frame.0["resync"], json!("CURSOR_INVALID"), "{cursor}");
        assert_eq!(frame.events(), [] as [Value; 0]);
        assert_eq!(hers.end().await, json!({"type": "complete", "id": "e"}));
        assert_eq!(alice.missed(&frame.cursor()).await.0, [] as [Value; 0]);
    }
}

#[tokio::test]
async fn somebody_elses_cursor_shows_only_what_one_may_see_oneself() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let hers = alice.group("Her own", &[]).await;
    let cursor = alice.event_cursor().await;
    alice.say(&hers, "to herself").await;
    alice.say(&group, "to both").await;
    let (missed, _) = bob.missed(&cursor).await;
    assert_eq!(all_in_words(&missed), ["MessageSent to both"]);
}

#[tokio::test]
async fn who_takes_too_little_hears_the_rest_from_the_log() {
    let app = TestApp::start_with(Limits {
        tail_news_max: 3,
        rate_limits: false,
        ..Limits::default()
    })
    .await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let mut his = bob.events().await;
    // More than the sockets between them can hold.
    let text = "x".repeat(9_000);
    let sent = 1_500;
    for n in 0..sent {
        alice.say(&group, &format!("{n} {text}")).await;
    }
    let (mut told, mut from_the_log) = (0, 0);
    while told < sent {
        let frame = his.frame().await;
        from_the_log += usize::from(frame.events().len() > 1);
        for event in frame.events() {
            let said = &event["messageEdge"]["node"]["text"];
            assert_eq!(*said, format!("{told} {text}"));
            told += 1;
        }
    }
    assert!(from_the_log > 0, "he was never behind");
    alice.say(&group, "now").await;
    assert_eq!(his.told(1).await, ["MessageSent now"]);
}

#[tokio::test]
async fn a_log_that_lost_changes_ends_every_stream_with_a_place_to_begin_anew() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let (mut hers, mut his) = (alice.events().await, bob.events().await);
    alice.say(&group, "told").await;
    assert_eq!(hers.told(1).await, ["MessageSent told"]);
    assert_eq!(his.told(1).await, ["MessageSent told"]);
    // As the hub finds it after a fail-over to a database that is behind.
    let head = app.store.heads().await.expect("read")[0];
    app.hub.lose(&[head - 1]);
    for stream in [&mut hers, &mut his] {
        let frame = stream.frame().await;
        assert_eq!(frame.0["resync"], json!("CURSOR_INVALID"));
        assert_eq!(stream.end().await, json!({"type": "complete", "id": "e"}));
    }
}

#[tokio::test]
async fn a_first_load_and_a_stream_from_its_cursor_miss_nothing_between_them() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let sending = {
        let (alice, group) = (alice.clone(), group.clone());
        tokio::spawn(async move {
            for n in 1..=200 {
                alice.say(&group, &n.to_string()).await;
            }
        })
    };
    for _ in 0..10 {
        let reply = bob
            .query(
                "query($id:ID!){viewer{eventCursor} conversation(id:$id){lastSeq}}",
                json!({ "id": group }),
            )
            .await;
        let loaded = reply.number("/conversation/lastSeq");
        if loaded == 200 {
            break;
        }
        let mut his = bob.events_after(&reply.text("/viewer/eventCursor")).await;
        let mut next = None;
        while next.is_none_or(|next| next <= loaded + 3 && next <= 200) {
            let event = his.event().await;
            let seq = event["messageEdge"]["node"]["seq"]
                .as_i64()
                .expect("a number");
            match next {
                None => assert!(seq <= loaded + 1, "{seq} was missed after {loaded}"),
                Some(next) => assert_eq!(seq, next),
            }
            next = Some(seq + 1);
            if seq == 200 {
                break;
            }
        }
    }
    sending.await.expect("all was said");
}
