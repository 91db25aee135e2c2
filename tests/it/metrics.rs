//! What is counted: how what people were told came to be.

use std::{collections::BTreeMap, time::Duration};

use parlor::{model::Limits, transport::Doors};
use serde_json::{Value, json};

use crate::support::{Client, Socket, TestApp, until};

async fn metrics(app: &TestApp) -> String {
    let url = app.url.replace("/graphql", "/metrics");
    let reply = reqwest::get(url).await.expect("an answer");
    assert_eq!(reply.status(), 200);
    let kind = reply.headers()["content-type"].to_str().expect("a text");
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    reply.text().await.expect("a text")
}

/// Responses that were made for others, for all, and for one alone.
async fn delivered(app: &TestApp) -> [u64; 3] {
    let text = metrics(app).await;
    let lines: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .collect();
    ["shared", "for_all", "for_viewer"].map(|made| {
        let name = format!("parlor_deliveries_total{{made=\"{made}\"}}");
        lines[name.as_str()].parse().expect("a number")
    })
}

async fn listen(people: &[&Client], document: &str, variables: &Value) -> Vec<Socket> {
    let mut sockets = Vec::new();
    for who in people {
        let mut socket = who.socket().await;
        socket.subscribe("s", document, variables.clone()).await;
        sockets.push(socket);
    }
    sockets
}

async fn hear(sockets: &mut [Socket]) -> Vec<Value> {
    let mut heard = Vec::new();
    for socket in sockets {
        heard.push(socket.hear().await["payload"]["data"].take());
    }
    heard
}

/// How the three who listen are told that Alice said something.
async fn told(field: &str) -> [u64; 3] {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob, &carol]).await;
    let people = [&alice, &bob, &carol];
    let (variables, given) = if field.contains("$c") {
        ("($c:ID!)", json!({ "c": group }))
    } else {
        ("", json!({}))
    };
    let document = format!("subscription{variables}{{{field}}}");
    let mut sockets = listen(&people, &document, &given).await;
    if field.starts_with("events") {
        hear(&mut sockets).await;
    } else {
        // Nothing says that they listen.
        let listening = until(async || {
            let open = metrics(&app).await.contains("parlor_open_connections 3");
            open.then_some(())
        });
        listening.await;
        alice.say(&group, "is anybody here?").await;
        hear(&mut sockets).await;
    }
    let before = delivered(&app).await;
    alice.say(&group, "hello").await;
    let heard = hear(&mut sockets).await;
    assert!(heard[0].to_string().contains("hello"), "{}", heard[0]);
    let after = delivered(&app).await;
    [0, 1, 2].map(|made| after[made] - before[made])
}

fn is_made_for_all([shared, for_all, for_viewer]: [u64; 3]) -> bool {
    // Two may make it at the same time.
    (shared + for_all, for_viewer) == (3, 0) && for_all > 0
}

#[tokio::test]
async fn what_all_are_told_alike_is_made_for_all() {
    let message = "text conversation{__typename id} sender{id displayName}";
    let counts = told(&format!("messageSent(conversationId:$c){{{message}}}")).await;
    assert!(is_made_for_all(counts), "{counts:?}");
    let counts = told(&format!(
        "events{{cursor isCaughtUp events{{id ...on MessageSentEvent{{messageEdge{{cursor node{{{message}}}}}}}}}}}"
    ))
    .await;
    assert!(is_made_for_all(counts), "{counts:?}");
}

#[tokio::test]
async fn what_depends_on_who_asks_is_made_for_each() {
    let mine = "text conversation{id viewerUnreadCount}";
    assert_eq!(
        told(&format!("messageSent(conversationId:$c){{{mine}}}")).await,
        [0, 0, 3]
    );
}

#[tokio::test]
async fn who_types_is_made_for_all_who_watch_and_for_the_one_who_types_alone() {
    let app = TestApp::start_with(Limits {
        rate_limits: false,
        typing_told_every: Duration::ZERO,
        typing_lives: Duration::from_hours(1),
        ..Limits::default()
    })
    .await;
    let (alice, bob) = app.alice_and_bob().await;
    let (carol, dave) = (app.sign_up("carol").await, app.sign_up("dave").await);
    let group = alice.group("Walks", &[&bob, &carol, &dave]).await;
    let document =
        "subscription($c:ID!){typing(conversationIds:[$c]){conversation{id} count users{handle}}}";
    let people = [&alice, &bob, &carol, &dave];
    let mut sockets = listen(&people, document, &json!({ "c": group })).await;
    hear(&mut sockets).await;
    let input = json!({"conversationId": group, "isTyping": true});
    alice
        .mutate("setTyping", "conversation{id}", input.clone())
        .await;
    hear(&mut sockets[1..]).await;
    let before = delivered(&app).await;
    bob.mutate("setTyping", "conversation{id}", input).await;
    // Bob sees what he saw before, and is not told.
    let hers = hear(&mut sockets[..1]).await;
    assert_eq!(hers[0]["typing"]["users"], json!([{"handle": "bob"}]));
    let others = hear(&mut sockets[2..]).await;
    let both = json!([{"handle": "alice"}, {"handle": "bob"}]);
    assert_eq!(others[0]["typing"]["users"], both);
    assert_eq!(others[0], others[1]);
    let after = delivered(&app).await;
    let [shared, for_all, for_viewer] = [0, 1, 2].map(|made| after[made] - before[made]);
    // What was made for another is used for a moment only.
    assert_eq!((shared + for_all, for_viewer), (2, 1));
}

#[tokio::test]
async fn nothing_is_counted_aloud_unless_the_operator_wants_it() {
    let app = TestApp::start_behind(Limits::default(), Doors::default()).await;
    let url = app.url.replace("/graphql", "/metrics");
    assert_eq!(reqwest::get(url).await.expect("an answer").status(), 404);
}
