//! A server that is told to stop loses nothing and says so.

use serde_json::json;

use crate::support::{Socket, TestApp, socket::FOLLOW};

#[tokio::test]
async fn sockets_are_closed_so_that_clients_come_back() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let mut following = alice.socket().await;
    following.follow("1", &group, None).await;
    let mut idle = Socket::open(&app.url, Some("graphql-transport-ws")).await;
    let (one, two, ()) = tokio::join!(following.end(), idle.end(), app.stop());
    assert_eq!((one, two), (Some(1012), Some(1012)));
    assert!(
        Socket::try_open(&app.url, Some("graphql-transport-ws"))
            .await
            .is_none(),
        "nobody is there any more"
    );
}

#[tokio::test]
async fn what_was_being_sent_is_answered_or_not_stored() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let mut socket = alice.socket().await;
    for n in 0..25 {
        socket
            .send(&n.to_string(), &group, &n.to_string(), &n.to_string())
            .await
            .expect("sent");
    }
    let hear = async {
        let mut acknowledged = Vec::new();
        while let Ok(heard) = socket.try_hear().await {
            if let Some(seq) =
                heard["payload"]["data"]["sendMessage"]["messageEdge"]["node"]["seq"].as_i64()
            {
                acknowledged.push(seq);
            }
        }
        acknowledged
    };
    let (mut acknowledged, ()) = tokio::join!(hear, app.stop());
    let app = app.restart().await;
    let alice = alice.at(&app.url);
    let stored = alice.history(&group).await.len() as i64;
    acknowledged.sort_unstable();
    assert_eq!(
        acknowledged,
        (1..=stored).collect::<Vec<_>>(),
        "stored and answered are the same"
    );
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    alice.say(&group, "one").await;
    let app = app.restart().await;
    let (alice, bob) = (alice.at(&app.url), bob.at(&app.url));
    assert_eq!(bob.say(&group, "two").await, 2, "numbers go on");
    let mut socket = alice.socket().await;
    socket
        .subscribe("1", FOLLOW, json!({"c": group, "a": 1}))
        .await;
    assert_eq!(socket.texts(1).await, ["two"]);
    assert_eq!(
        alice
            .query("{viewer{unreadCount}}", json!({}))
            .await
            .number("/viewer/unreadCount"),
        1
    );
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_hold_the_server_up() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let long = "x".repeat(9_000);
    for n in 0..100 {
        alice.say(&group, &format!("{n} {long}")).await;
    }
    let mut stalled = alice.socket().await;
    for n in 0..16 {
        stalled
            .subscribe(&n.to_string(), FOLLOW, json!({"c": group, "a": 0}))
            .await;
    }
    app.listened_to(1).await;
    let begun = std::time::Instant::now();
    app.stop().await;
    let limit = parlor::model::Limits::default().stop_within;
    assert!(begun.elapsed() < limit, "it was not cut off, it went");
}
