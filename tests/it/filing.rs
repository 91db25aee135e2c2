//! Messages are appended first and go to their conversations later: whoever reads sees one list.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use parlor::{
    fault::{Hook, Point, Verdict},
    model::{ConversationId, Limits, Message},
    store::Run,
};
use serde_json::json;
use tokio::sync::Notify;

use crate::support::TestApp;

/// Some forty messages wait to be filed.
async fn app() -> TestApp {
    TestApp::start_with(Limits {
        rate_limits: false,
        recent_bytes_max: 10_000,
        ..Limits::default()
    })
    .await
}

async fn since(app: &TestApp, run: Run, until: i64, each: u64) -> Vec<Message> {
    let found = app.store.messages_since(&[run], until, each).await;
    found.expect("messages").remove(0)
}

#[tokio::test]
async fn a_page_is_the_same_wherever_its_messages_lie() {
    let app = app().await;
    let alice = app.sign_up("alice").await;
    let (walks, runs) = (
        alice.group("Walks", &[]).await,
        alice.group("Runs", &[]).await,
    );
    for number in 1..=60 {
        alice.say(&walks, &format!("{number}")).await;
        alice.say(&runs, "faster").await;
    }
    let document = "query($c:ID!){conversation(id:$c){messages(first:100){edges{cursor}}}}";
    let all = alice.query(document, json!({ "c": walks })).await;
    let all = all.at("/conversation/messages/edges").clone();
    let cursor = |seq: usize| all[seq.wrapping_sub(1)]["cursor"].clone();
    let mut app = app;
    for (from, to) in [
        (0, 61),
        (3, 20),
        (20, 45),
        (30, 61),
        (0, 59),
        (50, 57),
        (60, 61),
    ] {
        for (argument, at_most) in [("first", 7), ("last", 7), ("first", 50), ("last", 50)] {
            // Nothing that was read or written is in memory any more but what waits to be filed.
            app = app.restart().await;
            let unfiled = app.db_count("all_messages").await - app.db_count("messages").await;
            assert!((20..=60).contains(&unfiled), "{unfiled}");
            let document = format!(
                "query($c:ID!$n:Int!$a:String$b:String){{conversation(id:$c){{messages({argument}:$n after:$a before:$b)
                 {{edges{{node{{text}}}}}}}}}}"
            );
            let variables = json!({"c": walks, "n": at_most, "a": cursor(from), "b": cursor(to)});
            let page = alice.at(&app.url).query(&document, variables).await;
            let edges = page
                .at("/conversation/messages/edges")
                .as_array()
                .expect("edges");
            let found: Vec<_> = edges
                .iter()
                .map(|edge| edge["node"]["text"].clone())
                .collect();
            let mut expected: Vec<_> = (from + 1..to).map(|seq| json!(seq.to_string())).collect();
            if argument == "last" {
                expected = expected.split_off(expected.len().saturating_sub(at_most));
            } else {
                expected.truncate(at_most);
            }
            assert_eq!(
                found, expected,
                "{argument} {at_most} between {from} and {to}"
            );
        }
    }
}

#[tokio::test]
async fn whoever_reads_while_messages_are_filed_finds_no_gap() {
    let app = TestApp::start_with(Limits {
        rate_limits: false,
        recent_bytes_max: 1_000,
        ..Limits::default()
    })
    .await;
    let alice = app.sign_up("alice").await;
    let walks = alice.group("Walks", &[]).await;
    let conversation: ConversationId = walks.parse().expect("an id");
    let said = AtomicI64::new(0);
    let saying = async {
        for _ in 0..300 {
            said.store(alice.say(&walks, "left, right").await, Ordering::SeqCst);
        }
    };
    let reading = async {
        let mut reads = 0;
        while said.load(Ordering::SeqCst) < 300 {
            let before = said.load(Ordering::SeqCst);
            let run = Run {
                conversation,
                after: 0,
            };
            let found = since(&app, run, i64::MAX, 1_000).await;
            let seqs: Vec<_> = found.iter().map(|message| i64::from(message.seq)).collect();
            assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>());
            assert!(seqs.len() as i64 >= before, "{} of {before}", seqs.len());
            reads += 1;
        }
        assert!(reads > 100, "{reads}");
    };
    tokio::join!(saying, reading);
}

/// Stops the writer when it has committed.
#[derive(Default)]
struct Committed {
    stops: AtomicBool,
    stopped: Notify,
    go_on: Notify,
}

impl Hook for Committed {
    fn reach(&self, point: Point) -> Pin<Box<dyn Future<Output = Verdict> + Send + '_>> {
        Box::pin(async move {
            if point == Point::AfterCommit && self.stops.swap(false, Ordering::SeqCst) {
                self.stopped.notify_one();
                self.go_on.notified().await;
            }
            Verdict::GoOn
        })
    }
}

#[tokio::test]
async fn whoever_looks_between_a_commit_and_its_answer_finds_the_message_that_a_conversation_counts()
 {
    let hook = Arc::new(Committed::default());
    let limits = Limits {
        rate_limits: false,
        ..Limits::default()
    };
    let app = TestApp::start_watched(limits, Arc::clone(&hook) as Arc<dyn Hook>).await;
    let (alice, bob) = app.alice_and_bob().await;
    alice.befriend(&bob).await;
    let direct = alice.direct(&bob).await;
    alice.say(&direct, "hello").await;
    hook.stops.store(true, Ordering::SeqCst);
    let saying = alice.say(&direct, "again");
    let looking = async {
        hook.stopped.notified().await;
        let document = "query($c:ID!){conversation(id:$c){lastSeq lastMessage{seq} messages(last:1){edges{node{seq}}}
            first:messages(first:5){edges{node{seq}}} message(seq:2){text}}}";
        let found = bob.query(document, json!({ "c": direct })).await;
        hook.go_on.notify_one();
        found
    };
    let (said, found) = tokio::join!(saying, looking);
    assert_eq!(said, 2);
    // It is committed, so it is in the database for whoever reads there.
    assert_eq!(found.number("/conversation/lastSeq"), 2);
    assert_eq!(found.number("/conversation/lastMessage/seq"), 2);
    assert_eq!(found.number("/conversation/messages/edges/0/node/seq"), 2);
    assert_eq!(found.number("/conversation/first/edges/1/node/seq"), 2);
    assert_eq!(found.text("/conversation/message/text"), "again");
}

#[tokio::test]
async fn a_quiet_conversation_is_filed_behind_busy_ones_and_keeps_nothing_waiting() {
    let app = app().await;
    let alice = app.sign_up("alice").await;
    let (quiet, busy) = (
        alice.group("Quiet", &[]).await,
        alice.group("Busy", &[]).await,
    );
    alice.say(&quiet, "is anybody here?").await;
    for _ in 0..200 {
        alice.say(&busy, "we are").await;
    }
    // The rows of what is filed go too, once no older message waits.
    let left = app.db_count("recent_messages").await;
    assert!(left < 100, "{left}");
    let filed = "SELECT count(*) FROM messages WHERE text LIKE 'is anybody%'";
    assert_eq!(crate::support::db_number(&app.db_path(), filed).await, 1);
    assert_eq!(alice.texts(&quiet).await, ["is anybody here?"]);
}

#[tokio::test]
async fn messages_are_found_by_any_two_positions_though_few_of_them_are_marked() {
    let app = app().await;
    let alice = app.sign_up("alice").await;
    let (walks, runs) = (
        alice.group("Walks", &[]).await,
        alice.group("Runs", &[]).await,
    );
    for number in 1..=200 {
        alice.say(&walks, "left, right").await;
        // So that their positions are not their numbers.
        for _ in 0..number % 3 {
            alice.say(&runs, "faster").await;
        }
    }
    assert!(
        app.db_count("message_marks").await >= 4,
        "hardly any is marked"
    );
    assert!(app.db_count("recent_messages").await >= 30, "all are filed");
    let conversation = walks.parse().expect("an id");
    let run = async |after, until, each| {
        let run = Run {
            conversation,
            after,
        };
        since(&app, run, until, each).await
    };
    let everything = run(0, i64::MAX, 1_000).await;
    assert_eq!(everything.len(), 200);
    let head = everything.last().expect("a message").position + 3;
    for after in (0..head).step_by(7) {
        let newest = everything.iter().rfind(|message| message.position <= after);
        let seq_at = app.store.seq_at(conversation, after).await;
        let expected = newest.map_or(0, |message| message.seq);
        assert_eq!(seq_at.expect("a number"), expected, "at {after}");
        for until in (after..head).step_by(31) {
            let between = |message: &&Message| (after + 1..=until).contains(&message.position);
            let expected: Vec<_> = everything.iter().filter(between).take(50).collect();
            let found = run(after, until, 50).await;
            assert!(found.iter().eq(expected), "from {after} to {until}");
        }
    }
}
