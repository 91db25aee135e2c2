//! The process is killed under load, again and again. `CRASH_ROUNDS` makes it more often.

use std::{collections::BTreeMap, os::unix::process::ExitStatusExt, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;
use tokio::sync::watch;

use crate::support::{
    ledger::{Ledger, setting},
    program::Program,
    until,
};

/// Where the process is killed: at any moment, or at a named point of it.
const WAYS_TO_DIE: [&str; 7] = [
    "any moment",
    "before-write",
    "before-commit",
    "after-commit",
    "before-publish",
    "between-listeners",
    "between-reads",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_being_killed_and_is_heard_once_in_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("chat.db");
    let mut program = Program::serve(&database, &[]);
    let mut ledger = Ledger::prepare(&program.url, 16, 4).await;
    let (server, whereabouts) = watch::channel(Some(program.url.clone()));
    ledger.begin(&whereabouts, 0.0);
    let mut random = StdRng::seed_from_u64(setting("CRASH_SEED", 7));
    let rounds = setting("CRASH_ROUNDS", 14);
    let mut deaths = BTreeMap::<&str, u64>::new();
    for round in 0..rounds {
        let at = WAYS_TO_DIE[usize::try_from(round).expect("few") % WAYS_TO_DIE.len()];
        *deaths.entry(at).or_default() += 1;
        if at == "any moment" {
            // Killed while people talk, not while they still connect.
            let before = ledger.acknowledged();
            until(|| async { (ledger.acknowledged() >= before + 50).then_some(()) }).await;
            tokio::time::sleep(Duration::from_millis(random.random_range(0..60))).await;
            program.kill();
        } else {
            program.kill();
            server.send_replace(None);
            // The log is read when people come back, which is now, and not much afterwards.
            let most = if at == "between-reads" { 3 } else { 60 };
            let times = random.random_range(1..=most);
            let die_at = format!("{at}:{times}");
            program = Program::serve(&database, &["--die-at", &die_at]);
            server.send_replace(Some(program.url.clone()));
            let status = program.ended().await;
            // It aborts itself: every thread stops where it is.
            assert_eq!(status.signal(), Some(6), "it should have died {at}");
        }
        server.send_replace(None);
        program = Program::serve(&database, &[]);
        server.send_replace(Some(program.url.clone()));
    }
    let totals = ledger.settle(&program.url).await;
    println!("{rounds} kills ({deaths:?}): {totals:?}");
    assert_eq!(
        totals.stored, totals.acknowledged,
        "every retry gave the one message"
    );
    assert_eq!(totals.heard, 4 * totals.stored);
    assert!(totals.cuts as u64 >= rounds, "{totals:?}");
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_trying_again_with_the_same_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("chat.db");
    let program = Program::serve(&database, &[]);
    let alice = crate::support::client::sign_up(&program.url, "alice").await;
    let group = alice.group("Walks", &[]).await;
    // Sent, and killed before or after it was stored: nobody knows.
    let mut socket = alice.socket().await;
    for n in 0..50 {
        socket
            .send(
                &n.to_string(),
                &group,
                &format!("text {n}"),
                &format!("key {n}"),
            )
            .await;
    }
    program.kill();
    let program = Program::serve(&database, &[]);
    let alice = alice.at(&program.url);
    for n in 0..50 {
        let reply = alice
            .send(&group, &format!("text {n}"), Some(&format!("key {n}")))
            .await;
        assert_eq!(reply.refusals(), [], "{n}");
    }
    let mut texts = alice.texts(&group).await;
    assert_eq!(texts.len(), 50, "each of them once");
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 50);
}

#[tokio::test]
async fn a_disk_that_fails_ends_the_server_and_nothing_that_was_acknowledged() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("chat.db");
    let program = Program::serve_with_files_of_at_most(800, &database);
    let alice = crate::support::client::sign_up(&program.url, "alice").await;
    let group = alice.group("Walks", &[]).await;
    let document = "mutation($i:SendMessageInput!){sendMessage(input:$i){messageEdge{node{seq}} userErrors{code}}}";
    let mut acknowledged = 0;
    let refused = loop {
        let text = format!("{acknowledged} {}", "x".repeat(5_000));
        let input = json!({"conversationId": group, "text": text, "idempotencyKey": acknowledged.to_string()});
        let reply = alice.run(document, json!({ "i": input })).await;
        if !reply.codes().is_empty() {
            break reply;
        }
        acknowledged = reply.number("/data/sendMessage/messageEdge/node/seq");
    };
    assert_eq!(refused.codes(), ["UNAVAILABLE"], "its outcome is unknown");
    assert_eq!(
        program.ended().await.code(),
        Some(1),
        "and the server is gone"
    );
    let program = Program::serve(&database, &[]);
    let alice = alice.at(&program.url);
    let stored = alice.history(&group).await.len() as i64;
    assert!(
        acknowledged > 5 && stored >= acknowledged,
        "{stored} of {acknowledged}"
    );
    let text = format!("{acknowledged} {}", "x".repeat(5_000));
    let again = alice
        .send(&group, &text, Some(&acknowledged.to_string()))
        .await;
    assert_eq!(
        again.number("/messageEdge/node/seq"),
        acknowledged + 1,
        "the retry settles it"
    );
}
