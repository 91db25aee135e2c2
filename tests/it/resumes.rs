//! Coming back from any place to a history in which everything happened. `RESUMES` makes it more often.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use parlor::model::{Cursor, Epoch, Limits};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::support::{
    Client, TestApp, db_number,
    events::{EVENTS, position},
    ledger::setting,
};

/// People say and do things at random; many of them are refused, and that is fine.
async fn live(people: &[Client], places: &[String], random: &mut StdRng) {
    for n in 0..500 {
        let who = people.choose(random).expect("somebody");
        let whom = people.choose(random).expect("somebody");
        let place = places.choose(random).expect("a place");
        let there = json!({"conversationId": place, "userId": whom.id});
        let at = json!({"conversationId": place});
        let (field, input) = match random.random_range(0..40) {
            0..16 => (
                "sendMessage",
                json!({"conversationId": place, "text": format!("text {n}")}),
            ),
            16..21 => (
                "addMembers",
                json!({"conversationId": place, "userIds": [whom.id]}),
            ),
            21..24 => ("removeMember", there),
            24 => (
                "removeMember",
                json!({"conversationId": place, "userId": whom.id, "ban": true}),
            ),
            25 => ("unbanUser", there),
            26..28 => ("leaveConversation", at),
            28..31 => ("joinChannel", at),
            31 => (
                "changeMemberRole",
                json!({"conversationId": place, "userId": whom.id, "role": "ADMIN"}),
            ),
            32 => (
                "updateConversation",
                json!({"conversationId": place, "title": format!("title {n}")}),
            ),
            33 => ("archiveConversation", at),
            34 => ("unarchiveConversation", at),
            35 => ("updateProfile", json!({"displayName": format!("name {n}")})),
            36 => ("removeFriend", json!({"userId": whom.id})),
            37 => ("sendFriendRequest", json!({"userId": whom.id})),
            38 => ("blockUser", json!({"userId": whom.id})),
            _ => ("unblockUser", json!({"userId": whom.id})),
        };
        who.mutate(field, "__typename", input).await;
        let read = json!({"conversationId": place, "seq": n / 40});
        if n % 5 == 0 {
            who.mutate("markRead", "__typename", read).await;
        }
    }
}

/// Says a few things at a time, more than an inbox holds, now and then until it is told to stop; how often. Not too often:
/// each is one more for everybody who comes back later.
async fn talk(who: Client, place: String, stop: Arc<AtomicBool>) -> u64 {
    let mut said = 0;
    while !stop.load(Ordering::SeqCst) && said < 60 {
        for _ in 0..4 {
            said += 1;
            who.say(&place, &format!("chatter {said}")).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    said
}

/// What an event is. What it carries is as it is when it is told, and others talk meanwhile.
fn what(event: &Value) -> [&Value; 4] {
    let said = &event["messageEdge"]["node"];
    [
        &event["id"],
        &event["__typename"],
        &said["seq"],
        &said["text"],
    ]
}

/// Everything that somebody missed since each of some places, on one socket.
async fn resume(who: &Client, places: &[i64], epoch: Epoch) -> Vec<Vec<Value>> {
    let mut socket = who.socket().await;
    let mut all = Vec::new();
    for (n, place) in places.iter().enumerate() {
        let id = n.to_string();
        let after = Cursor([*place].as_slice().into()).write(epoch);
        socket
            .subscribe(&id, EVENTS, json!({ "after": after }))
            .await;
        let mut missed = Vec::new();
        loop {
            let heard = socket.hear().await;
            // What was on its way when the one before was ended.
            if heard["id"] != *id {
                continue;
            }
            assert_eq!(heard["type"], "next", "{heard}");
            assert_eq!(heard["payload"].get("errors"), None, "{heard}");
            let frame = &heard["payload"]["data"]["events"];
            assert_eq!(frame["resync"], json!(null), "the history is the same");
            missed.extend(frame["events"].as_array().expect("events").iter().cloned());
            if frame["isCaughtUp"] == json!(true) {
                break;
            }
        }
        socket.say(&json!({"id": id, "type": "complete"})).await;
        all.push(missed);
    }
    all
}

/// Resumes from random places; each must be the end of what is told from the very beginning.
async fn check(app: &TestApp, people: &[Client], times: u64, random: &mut StdRng) -> (u64, usize) {
    let head = db_number(&app.db_path(), "SELECT head FROM shards").await;
    let epoch = app.store.epoch();
    let mut events = 0;
    let mut checks = Vec::new();
    for who in people {
        let who = who.at(&app.url);
        let count = times / people.len() as u64;
        let places: Vec<_> = (0..count).map(|_| random.random_range(0..=head)).collect();
        let path = app.db_path();
        checks.push(async move {
            let mut whole = resume(&who, &[0], epoch).await.remove(0);
            whole.retain(|event| position(event) <= head);
            let messages = whole.iter().filter(|event| event["__typename"] == "MessageSentEvent");
            let stored = format!(
                "SELECT count(*) FROM all_messages m JOIN memberships s ON s.conversation_id = m.conversation_id
                 JOIN conversations c ON c.id = m.conversation_id JOIN users u ON u.id = s.user_id
                 WHERE u.handle = '{}' AND s.left_position IS NULL AND c.deleted_position IS NULL
                 AND m.position > s.joined_position AND m.position <= {head}",
                who.query("{viewer{user{handle}}}", json!({})).await.text("/viewer/user/handle")
            );
            assert_eq!(messages.count() as i64, db_number(&path, &stored).await);
            let mut told = 0;
            let missed = resume(&who, &places, epoch).await;
            for (place, mut missed) in places.iter().zip(missed) {
                // What is said meanwhile comes behind.
                missed.retain(|event| position(event) <= head);
                let rest = whole.iter().filter(|event| position(event) > *place);
                let expected: Vec<_> = rest.map(what).collect();
                let missed: Vec<_> = missed.iter().map(what).collect();
                assert_eq!(missed, expected, "from {place}");
                told += missed.len();
            }
            told
        });
    }
    let resumes = checks.len() as u64 * (times / people.len() as u64);
    for told in join_all(checks).await {
        events += told;
    }
    (resumes, events)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_from_any_place_is_told_the_rest_of_one_history() {
    let app = TestApp::start_with(Limits {
        rate_limits: false,
        catch_up_rows: 60,
        frame_events_max: 20,
        // Whoever reads while others talk is too slow at once.
        tail_news_max: 1,
        ..Limits::default()
    })
    .await;
    let mut random = StdRng::seed_from_u64(setting("RESUMES_SEED", 3));
    let mut people = Vec::new();
    for n in 0..6 {
        people.push(app.sign_up(&format!("p_{n}")).await);
    }
    let others: Vec<_> = people[1..].iter().collect();
    let mut places = vec![people[0].group("Walks", &others).await];
    places.push(people[0].group("Talks", &others[..2]).await);
    places.push(people[0].group("Gone", &others).await);
    places.push(people[0].channel("News").await);
    places.push(people[0].direct(&people[1]).await);
    live(&people, &places, &mut random).await;
    let gone = json!({"conversationId": places[2]});
    people[0]
        .mutate("deleteConversation", "__typename", gone)
        .await;
    let password = json!({"password": crate::support::PASSWORD});
    let leaver = people.pop().expect("somebody");
    leaver.mutate("deleteAccount", "__typename", password).await;
    crate::support::until(|| async { (app.db_count("closing_accounts").await == 0).then_some(()) })
        .await;

    let chatter = people[0].channel("Chatter").await;
    for who in &people[1..] {
        who.join(&chatter).await;
    }
    let times = setting("RESUMES", 500);
    let began = std::time::Instant::now();
    let (first, told) = {
        let (who, stop) = (people[0].clone(), Arc::<AtomicBool>::default());
        let talking = tokio::spawn(talk(who, chatter, Arc::clone(&stop)));
        let checked = check(&app, &people, times / 2, &mut random).await;
        stop.store(true, Ordering::SeqCst);
        println!(
            "{} messages were said meanwhile",
            talking.await.expect("said")
        );
        checked
    };
    let app = app.restart().await;
    let (second, more) = check(&app, &people, times - times / 2, &mut random).await;
    println!(
        "{} resumes, one restart: {} events in {:?}",
        first + second,
        told + more,
        began.elapsed()
    );
    assert!(told > 1_000, "there was something to tell: {told}");
}
