//! Everybody comes back at once. `STORM` says how many sockets.

use std::time::Instant;

use futures_util::future::join_all;
use parlor::model::Limits;
use serde_json::json;

use crate::support::{Client, Socket, TestApp, ledger::setting};

/// What messages are told with: what lies in them, or what has to be looked up for whoever asks.
const SELECTIONS: [&str; 2] = ["seq text", "seq text conversation{id} sender{displayName}"];

/// Messages that everybody misses.
const MISSED: usize = 50;

/// Hears until everything that was missed has been told; how many events that were, and the place after them.
async fn catch_up(socket: &mut Socket, after: &str, selection: &str) -> (usize, String) {
    let variables = json!({ "after": after });
    let document = format!(
        "subscription($after:String){{events(after:$after){{cursor isCaughtUp events{{__typename id
        ...on MessageSentEvent{{messageEdge{{node{{{selection}}}}}}}}}}}}}"
    );
    socket.subscribe(selection, &document, variables).await;
    let mut events = 0;
    loop {
        let heard = socket.hear().await;
        let frame = &heard["payload"]["data"]["events"];
        events += frame["events"]
            .as_array()
            .unwrap_or_else(|| panic!("{heard}"))
            .len();
        if frame["isCaughtUp"] == json!(true) {
            return (
                events,
                frame["cursor"].as_str().expect("a cursor").to_owned(),
            );
        }
    }
}

async fn people(app: &TestApp, count: usize, channels: &[String]) -> Vec<Client> {
    let mut people = Vec::new();
    for some in (0..count).collect::<Vec<_>>().chunks(20) {
        let some = some.iter().map(|n| async move {
            let who = app.sign_up(&format!("person_{n}")).await;
            who.join(&channels[n % channels.len()]).await;
            who
        });
        people.extend(join_all(some).await);
    }
    people
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_comes_back_is_read_for_together() {
    let sockets = usize::try_from(setting("STORM", 200)).expect("a number");
    let app = TestApp::start_with(Limits {
        rate_limits: false,
        ..Limits::default()
    })
    .await;
    // Five devices each, ten people in a channel.
    let owner = app.sign_up("owner").await;
    let mut channels = Vec::new();
    for n in 0..(sockets / 50).max(1) {
        channels.push(owner.channel(&format!("Channel {n}")).await);
    }
    let people = people(&app, sockets / 5, &channels).await;
    let after = owner.event_cursor().await;
    for channel in &channels {
        for n in 0..MISSED {
            owner.say(channel, &format!("{n}")).await;
        }
    }
    let mut open = Vec::new();
    for who in &people {
        open.extend(join_all((0..5).map(|_| who.socket())).await);
    }
    for (n, selection) in SELECTIONS.into_iter().enumerate() {
        let (before, began) = (app.store.statements(), Instant::now());
        let asking = open.iter_mut();
        let asking = asking.map(|socket| catch_up(socket, &after, selection));
        let caught_up = join_all(asking).await;
        let took = began.elapsed();
        let statements = app.store.statements() - before;
        for (events, _) in &caught_up {
            assert_eq!(*events, MISSED);
        }
        println!(
            "{} sockets, {MISSED} events each in {} conversations, {{{selection}}}: {took:?}, {statements} statements",
            open.len(),
            channels.len()
        );
        let bound = channels.len() + open.len() / 50 + 60;
        assert!(
            n > 0 || statements <= bound as u64,
            "{statements} of at most {bound}"
        );
        for socket in &mut open {
            socket
                .say(&json!({"id": selection, "type": "complete"}))
                .await;
        }
    }
}
