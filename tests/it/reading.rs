//! Who has read what: derived from marks, never stored a message.

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::support::{Client, Reply, TestApp};

const STATUS: &str = "query($c:ID!$s:Int!$u:ID!){conversation(id:$c){message(seq:$s){
    viewerReadStatus readStatus(userId:$u) readBy(first:2){pageInfo{hasNextPage endCursor} edges{node{user{handle}}}}}}}";

async fn status(who: &Client, group: &str, seq: i64, of: &str) -> Reply {
    let reply = who
        .query(STATUS, json!({"c": group, "s": seq, "u": of}))
        .await;
    Reply(reply.at("/conversation/message").clone())
}

fn readers(status: &Reply) -> Vec<&str> {
    let edges = status.at("/readBy/edges").as_array().expect("edges");
    edges
        .iter()
        .map(|edge| edge["node"]["user"]["handle"].as_str().expect("a handle"))
        .collect()
}

#[tokio::test]
async fn everybody_sees_who_has_read_a_message() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let (carol, dave) = tokio::join!(app.sign_up("carol"), app.sign_up("dave"));
    let group = alice.group("Walks", &[&bob, &carol]).await;
    for text in ["one", "two"] {
        alice.say(&group, text).await;
    }
    let mark = json!({"conversationId": group, "seq": 1});
    bob.mutate("markRead", "membership{id}", mark).await;
    let first = status(&alice, &group, 1, &bob.id).await;
    assert_eq!(
        (first.text("/viewerReadStatus"), first.text("/readStatus")),
        ("READ".into(), "READ".into())
    );
    assert_eq!(readers(&first), ["bob"], "its sender is left out");
    let second = status(&bob, &group, 2, &carol.id).await;
    assert_eq!(
        (second.text("/viewerReadStatus"), second.text("/readStatus")),
        ("UNREAD".into(), "UNREAD".into())
    );
    assert_eq!(readers(&second), [""; 0]);
    carol.say(&group, "three").await;
    bob.mutate(
        "markRead",
        "membership{id}",
        json!({"conversationId": group, "seq": 3}),
    )
    .await;
    assert_eq!(
        readers(&status(&alice, &group, 2, &bob.id).await),
        ["bob", "carol"],
        "sending is reading"
    );
    for nobody in [&dave.id, "nobody", &group] {
        assert!(
            status(&alice, &group, 1, nobody)
                .await
                .at("/readStatus")
                .is_null()
        );
    }
}

/// Six people send, read, unread, leave and come back at random; a naive model keeps count beside them.
#[tokio::test]
async fn unread_counts_are_what_a_naive_model_says() {
    let app = TestApp::start().await;
    let mut people = Vec::new();
    for n in 0..5 {
        people.push(app.sign_up(&format!("p_{n}")).await);
    }
    let others: Vec<_> = people[1..].iter().collect();
    let group = people[0].group("Walks", &others).await;
    let mut random = StdRng::seed_from_u64(crate::support::ledger::setting("UNREAD_SEED", 3));
    let mut last = 0;
    let mut marks: Vec<Option<i64>> = vec![Some(0); people.len()];
    for _ in 0..crate::support::ledger::setting("UNREAD_STEPS", 300) {
        let n = random.random_range(0..people.len());
        let who = &people[n];
        match (random.random_range(0..10), marks[n]) {
            (0..4, Some(_)) => {
                last = who.say(&group, "hello").await;
                marks[n] = Some(last);
            }
            (4..7, Some(mark)) if last > 0 => {
                let seq = random.random_range(0..=last);
                let input = json!({"conversationId": group, "seq": seq});
                who.mutate("markRead", "membership{id}", input).await;
                marks[n] = Some(mark.max(seq));
            }
            (7..9, Some(mark)) if last > 0 => {
                let seq = random.random_range(1..=last);
                let input = json!({"conversationId": group, "seq": seq});
                who.mutate("markUnread", "membership{id}", input).await;
                marks[n] = Some(mark.min(seq - 1));
            }
            (9, Some(_)) if n > 0 => {
                let input = json!({"conversationId": group});
                who.mutate("leaveConversation", "leftConversationId", input)
                    .await;
                marks[n] = None;
            }
            (_, None) => {
                let input = json!({"conversationId": group, "userIds": [who.id]});
                people[0]
                    .mutate("addMembers", "conversation{id}", input)
                    .await;
                marks[n] = Some(last);
            }
            _ => {}
        }
        let asked = random.random_range(0..people.len());
        let seen = people[asked]
            .query("{viewer{unreadCount}}", json!({}))
            .await;
        let expected = marks[asked].map_or(0, |mark| last - mark);
        assert_eq!(seen.at("/viewer/unreadCount"), &Value::from(expected));
    }
}
