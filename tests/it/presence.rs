//! Who is there: friends see each other, and a short break is not seen.

use std::time::Duration;

use parlor::model::Limits;
use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Socket, TestApp, until};

const PRESENCE: &str =
    "subscription($u:[ID!]!){presence(userIds:$u){id status lastSeenAt user{handle}}}";

async fn watch(who: &Client, people: &[&Client]) -> Socket {
    let mut socket = who.socket().await;
    let ids: Vec<_> = people.iter().map(|person| &person.id).collect();
    socket.subscribe("p", PRESENCE, json!({ "u": ids })).await;
    socket
}

/// The next state: whose, and what.
async fn state(socket: &mut Socket) -> (String, String) {
    let heard = socket.hear().await;
    assert_eq!(heard["type"], "next", "{heard}");
    let state = &heard["payload"]["data"]["presence"];
    let is_online = state["status"] == "ONLINE";
    assert!(!is_online || state["lastSeenAt"].is_null(), "{state}");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&state["user"]["handle"]), text(&state["status"]))
}

async fn seen(who: &Client, whom: &Client) -> Value {
    let document = "query($by:UserByInput!){user(by:$by){presence{status lastSeenAt}}}";
    let seen = who.query(document, json!({"by": {"id": whom.id}})).await;
    seen.at("/user/presence").clone()
}

fn quick() -> Limits {
    Limits {
        presence_grace: Duration::from_millis(200),
        rate_limits: false,
        ..Limits::default()
    }
}

fn is(handle: &str, status: &str) -> (String, String) {
    (handle.to_owned(), status.to_owned())
}

#[tokio::test]
async fn friends_see_each_other_come_and_go() {
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    alice.befriend(&bob).await;
    let mut hers = watch(&alice, &[&bob, &alice]).await;
    let mut first = [state(&mut hers).await, state(&mut hers).await];
    first.sort();
    assert_eq!(
        first,
        [is("alice", "ONLINE"), is("bob", "OFFLINE")],
        "the current states first"
    );
    let (one, other) = (bob.socket().await, bob.socket().await);
    assert_eq!(state(&mut hers).await, is("bob", "ONLINE"));
    assert_eq!(
        seen(&alice, &bob).await,
        json!({"status": "ONLINE", "lastSeenAt": null})
    );
    drop(one);
    drop(other);
    assert_eq!(
        state(&mut hers).await,
        is("bob", "OFFLINE"),
        "when the last of his devices has gone"
    );
    let last = seen(&alice, &bob).await;
    assert!(last["lastSeenAt"].is_string(), "{last}");
    bob.mutate("logOut", "endedSessionId", json!({})).await;
    let after = seen(&alice, &bob).await;
    assert!(
        after["lastSeenAt"].as_str() >= last["lastSeenAt"].as_str(),
        "it is known although his session is gone: {after}"
    );
    let sign_in = json!({"handle": "bob", "password": PASSWORD});
    let nobody = app.anonymous();
    let token = nobody.mutate("logIn", "token{value}", sign_in).await;
    let again = Client::new(&app.url, Some(&token.text("/token/value")));
    let _socket = again.socket().await;
    assert_eq!(state(&mut hers).await, is("bob", "ONLINE"));
}

#[tokio::test]
async fn a_quick_reconnect_is_not_seen() {
    let app = TestApp::start_with(Limits {
        presence_grace: Duration::from_secs(2),
        rate_limits: false,
        ..Limits::default()
    })
    .await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    alice.befriend(&bob).await;
    alice.befriend(&carol).await;
    let socket = bob.socket().await;
    let mut hers = watch(&alice, &[&bob, &carol]).await;
    let mut first = [state(&mut hers).await, state(&mut hers).await];
    first.sort();
    assert_eq!(first, [is("bob", "ONLINE"), is("carol", "OFFLINE")]);
    drop(socket);
    let _back = bob.socket().await;
    // Carol comes and goes, which takes as long as Bob's going would have taken to be seen.
    let hers_for_now = carol.socket().await;
    assert_eq!(state(&mut hers).await, is("carol", "ONLINE"));
    drop(hers_for_now);
    assert_eq!(
        state(&mut hers).await,
        is("carol", "OFFLINE"),
        "and nothing of bob"
    );
    assert_eq!(seen(&alice, &bob).await["status"], "ONLINE");
}

#[tokio::test]
async fn strangers_and_former_friends_see_nothing() {
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    alice.befriend(&bob).await;
    alice.befriend(&carol).await;
    assert!(seen(&bob, &carol).await.is_null());
    assert!(seen(&app.anonymous(), &bob).await.is_null());
    assert!(seen(&bob, &bob).await.is_object(), "oneself one sees");
    let mut stranger = watch(&bob, &[&carol]).await;
    assert_eq!(
        stranger.hear().await,
        json!({"type": "complete", "id": "p"})
    );
    let mut hers = watch(&alice, &[&bob, &carol]).await;
    for _ in 0..2 {
        state(&mut hers).await;
    }
    // The stranger's socket of a moment ago.
    drop(stranger);
    until(|| async { (seen(&alice, &bob).await["status"] == "OFFLINE").then_some(()) }).await;
    for field in ["removeFriend", "blockUser"] {
        while seen(&alice, &bob).await["status"] != "OFFLINE" {
            state(&mut hers).await;
        }
        bob.mutate(field, "__typename", json!({"userId": alice.id}))
            .await;
        assert!(seen(&alice, &bob).await.is_null());
        let socket = bob.socket().await;
        let carols = carol.socket().await;
        loop {
            let (handle, status) = state(&mut hers).await;
            if handle == "carol" && status == "ONLINE" {
                break;
            }
            assert_eq!(
                (handle.as_str(), status.as_str()),
                ("bob", "OFFLINE"),
                "from before"
            );
        }
        drop((socket, carols));
        assert_eq!(
            state(&mut hers).await,
            is("carol", "OFFLINE"),
            "nothing of bob"
        );
        if field == "removeFriend" {
            alice.befriend(&bob).await;
            let (handle, _) = state(&mut hers).await;
            assert_eq!(handle, "bob", "friends again, they see each other again");
        }
    }
    let many: Vec<_> = (0..201).map(|_| &bob).collect();
    let mut too_many = watch(&alice, &many).await;
    let refused = too_many.hear().await;
    assert_eq!(
        refused["payload"][0]["extensions"]["code"],
        "BAD_USER_INPUT"
    );
}
