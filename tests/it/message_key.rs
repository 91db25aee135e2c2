//! Sending again with a key: the same message, however late and however often.

use parlor::model::Limits;
use serde_json::json;

use crate::support::{Client, TestApp};

#[tokio::test]
async fn sending_again_with_the_same_key_gives_the_first_message() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let first = alice.send(&group, "hello", Some("key-1")).await;
    assert_eq!(first.at("/wasDuplicate"), false);
    let again =
        futures_util::future::join_all((0..8).map(|_| alice.send(&group, "hello", Some("key-1"))))
            .await;
    for reply in again {
        assert_eq!(reply.at("/wasDuplicate"), true);
        assert_eq!(reply.at("/messageEdge"), first.at("/messageEdge"));
    }
    alice
        .send(&group, "other words", Some("key-1"))
        .await
        .is_refused("CONFLICT", "idempotencyKey");
    assert_eq!(
        bob.send(&group, "hello", Some("key-1"))
            .await
            .number("/messageEdge/node/seq"),
        2,
        "keys are each sender's own"
    );
    let other = alice.group("Runs", &[]).await;
    assert_eq!(
        alice
            .send(&other, "hello", Some("key-1"))
            .await
            .at("/wasDuplicate"),
        false,
        "and each conversation's"
    );
    let app = app.restart().await;
    let alice = alice.at(&app.url);
    assert_eq!(
        alice
            .send(&group, "hello", Some("key-1"))
            .await
            .at("/wasDuplicate"),
        true
    );
    assert_eq!(alice.texts(&group).await, ["hello", "hello"]);
}

#[tokio::test]
async fn a_key_gives_its_message_however_much_was_said_since() {
    let app = TestApp::start_with(Limits {
        rate_limits: false,
        // Some forty messages.
        recent_bytes_max: 10_000,
        ..Limits::default()
    })
    .await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    // Beyond what is indexed at once, with messages that have no key and another's same keys among them.
    for number in 1..=100 {
        let key = format!("key-{number}");
        let key = (number % 3 > 0).then_some(key.as_str());
        alice.send(&group, &format!("a{number}"), key).await;
        bob.send(&group, &format!("b{number}"), key).await;
    }
    assert!(app.db_count("message_keys").await >= 64, "none is indexed");
    let again = async |who: &Client, number: i64, text: &str| {
        who.send(&group, text, Some(&format!("key-{number}"))).await
    };
    let app = app.restart().await;
    let (alice, bob) = (alice.at(&app.url), bob.at(&app.url));
    for number in [1, 16, 17, 49, 50, 98, 100] {
        let hers = again(&alice, number, &format!("a{number}")).await;
        assert_eq!(*hers.at("/wasDuplicate"), json!(true), "{number}");
        assert_eq!(hers.number("/messageEdge/node/seq"), 2 * number - 1);
        let his = again(&bob, number, &format!("b{number}")).await;
        assert_eq!(his.number("/messageEdge/node/seq"), 2 * number);
        again(&bob, number, "another text")
            .await
            .is_refused("CONFLICT", "idempotencyKey");
    }
    // Among new ones, at once: nobody's message is lost for another's old key.
    let said = (0..20).map(async |number| {
        let key = format!("new-{number}");
        let (known, new) = tokio::join!(again(&alice, 2, "a2"), bob.send(&group, &key, Some(&key)));
        assert_eq!(known.number("/messageEdge/node/seq"), 3);
        assert!(new.number("/messageEdge/node/seq") > 200);
    });
    futures_util::future::join_all(said).await;
    assert_eq!(app.db_count("all_messages").await, 220);
}

#[tokio::test]
async fn many_first_tries_with_one_key_at_once_give_one_message() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let tries = futures_util::future::join_all((0..32).map(|n| {
        let (alice, group) = (alice.clone(), group.clone());
        async move {
            alice
                .send(&group, "hello", Some(&format!("key-{}", n % 4)))
                .await
        }
    }))
    .await;
    let new = tries
        .iter()
        .filter(|reply| reply.at("/wasDuplicate") == false)
        .count();
    assert_eq!((new, alice.texts(&group).await.len()), (4, 4));
}

#[tokio::test]
async fn a_key_that_is_known_counts_before_a_right_that_was_lost() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let sent = bob.send(&group, "while I may", Some("key-1")).await;
    let closed = json!({"conversationId": group, "postingPolicy": "ADMINS"});
    alice
        .mutate("updateConversation", "conversation{id}", closed)
        .await;
    let again = bob.send(&group, "while I may", Some("key-1")).await;
    assert_eq!(
        again.at("/messageEdge"),
        sent.at("/messageEdge"),
        "who may read it gets it"
    );
    bob.send(&group, "now", Some("key-2"))
        .await
        .is_refused("FORBIDDEN", "");
    bob.send(&group, "other", Some("key-1"))
        .await
        .is_refused("CONFLICT", "idempotencyKey");
    alice
        .mutate(
            "removeMember",
            "conversation{id}",
            json!({"conversationId": group, "userId": bob.id}),
        )
        .await;
    bob.send(&group, "while I may", Some("key-1"))
        .await
        .is_refused("NOT_FOUND", "conversationId");
}
