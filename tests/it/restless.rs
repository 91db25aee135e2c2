//! Somebody who is removed and added again and again while others talk, and whose connection breaks. They must hear
//! each membership from its first message on, nothing from outside of them, and of the last one everything.
//! `RESTLESS_SECONDS` makes it longer.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::support::{Client, TestApp, db_rows, events::position, ledger::setting};

/// Says one thing after the other.
async fn talk(who: Client, group: String, stop: Arc<AtomicBool>) {
    let mut said = 0;
    while !stop.load(Ordering::SeqCst) {
        said += 1;
        who.say(&group, &format!("{said} of {}", who.id)).await;
    }
}

/// Removes and adds.
async fn let_in_and_out(owner: Client, whom: String, group: String, stop: Arc<AtomicBool>) {
    let mut random = StdRng::seed_from_u64(11);
    while !stop.load(Ordering::SeqCst) {
        for field in ["removeMember", "addMembers"] {
            let input = match field {
                "addMembers" => json!({"conversationId": group, "userIds": [whom]}),
                _ => json!({"conversationId": group, "userId": whom}),
            };
            let reply = owner.mutate(field, "__typename", input).await;
            assert_eq!(reply.refusals(), [], "{field}");
            let pause = Duration::from_millis(random.random_range(0..40));
            tokio::time::sleep(pause).await;
        }
    }
}

/// Listens, with a connection that breaks now and then; everything that was told, in its order, and the place after it.
async fn listen(who: Client, stop: Arc<AtomicBool>, mut cursor: String) -> (Vec<Value>, String) {
    let mut random = StdRng::seed_from_u64(12);
    let mut told = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let mut events = who.events_after(&cursor).await;
        for _ in 0..random.random_range(1..60) {
            let frame = events.frame().await;
            told.extend(frame.events().iter().cloned());
            cursor = frame.cursor();
            if stop.load(Ordering::SeqCst) {
                break;
            }
        }
    }
    let (rest, cursor) = who.missed(&cursor).await;
    told.extend(rest);
    (told, cursor)
}

/// One membership: from where, to where, and what was said in between.
struct Membership {
    joined: i64,
    left: Option<i64>,
    said: Vec<i64>,
}

/// What was told of each membership must be its beginning, and of one that lasts all of it.
fn check(told: &[Value], memberships: &BTreeMap<i64, Membership>, known: i64) -> usize {
    let places: Vec<_> = told.iter().map(position).collect();
    assert!(
        places.is_sorted_by(|one, next| one < next),
        "in order, and nothing twice"
    );
    let of = |kind: &str| -> Vec<i64> {
        let events = told.iter().filter(|event| event["__typename"] == kind);
        events.map(position).collect()
    };
    let (added, removed) = (of("ConversationAddedEvent"), of("ConversationRemovedEvent"));
    let mut heard = of("MessageSentEvent");
    let mut begun = 0;
    for one in memberships.values() {
        let within = |place: &i64| *place > one.joined && one.left.is_none_or(|left| *place < left);
        let of_this: Vec<_> = heard.iter().copied().filter(within).collect();
        heard.retain(|place| !within(place));
        let was_told = one.joined == known || added.contains(&one.joined);
        assert!(
            was_told || of_this.is_empty(),
            "messages of what they did not know to have joined"
        );
        assert_eq!(
            of_this,
            one.said[..of_this.len()],
            "from the first message on, without a gap"
        );
        begun += usize::from(!of_this.is_empty());
        if let Some(left) = one.left {
            // Of several leavings the last is told, before the next joining that is.
            let until = added.iter().find(|place| **place > left);
            let mut later = removed.iter().filter(|place| **place >= left);
            let is_told = later.any(|place| until.is_none_or(|until| place < until));
            assert!(
                !was_told || is_told,
                "who was told to be in is told to be out"
            );
        } else {
            assert_eq!(of_this, one.said, "of the last membership everything");
        }
    }
    assert_eq!(heard, [0; 0], "nothing from outside of a membership");
    begun
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_and_goes_hears_each_membership_from_its_first_message_and_nothing_else() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob, &carol]).await;
    let cursor = carol.event_cursor().await;
    let (stop, quiet) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let letting = let_in_and_out(
        alice.clone(),
        carol.id.clone(),
        group.clone(),
        Arc::clone(&stop),
    );
    let tasks = [
        tokio::spawn(talk(alice.clone(), group.clone(), Arc::clone(&stop))),
        tokio::spawn(talk(bob.clone(), group.clone(), Arc::clone(&stop))),
        tokio::spawn(letting),
    ];
    let listening = tokio::spawn(listen(carol.clone(), Arc::clone(&quiet), cursor));
    tokio::time::sleep(Duration::from_secs(setting("RESTLESS_SECONDS", 3))).await;
    stop.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.expect("done");
    }
    quiet.store(true, Ordering::SeqCst);
    // It may wait for a frame: one more, of what nobody was told yet.
    bob.say(&group, "the end").await;
    let (mut told, cursor) = listening.await.expect("heard");
    told.extend(carol.missed(&cursor).await.0);

    let memberships = "SELECT s.joined_position, s.left_position FROM memberships s JOIN users u ON u.id = s.user_id
        WHERE u.handle = 'carol'";
    let messages = "SELECT position, seq FROM all_messages ORDER BY position";
    let said = db_rows(&app.db_path(), messages).await;
    let mut intervals = BTreeMap::new();
    for (joined, left) in db_rows(&app.db_path(), memberships).await {
        let joined = joined.expect("a position");
        let within = |place: &i64| *place > joined && left.is_none_or(|left| *place < left);
        let said = said.iter().filter_map(|(place, _)| *place).filter(within);
        let said = said.collect();
        intervals.insert(joined, Membership { joined, left, said });
    }
    // The first one began before the cursor: nobody had to be told.
    let known = *intervals.keys().next().expect("a membership");
    let begun = check(&told, &intervals, known);
    println!(
        "{} memberships, {begun} of them heard; {} events of {} messages",
        intervals.len(),
        told.len(),
        said.len()
    );
    assert!(begun > 3, "{begun}");
}
