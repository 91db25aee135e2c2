//! graphql-transport-ws, row by row: what a client does, and how the server must answer.

use std::time::Duration;

use parlor::model::Limits;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Socket, TestApp};

const PROTOCOL: Option<&str> = Some("graphql-transport-ws");

async fn open(app: &TestApp) -> Socket {
    Socket::open(&app.url, PROTOCOL).await
}

#[tokio::test]
async fn a_token_may_come_in_any_usual_form() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let token = alice.token.clone().expect("a token");
    for payload in [
        json!({"authorization": token}),
        json!({"Authorization": format!("Bearer {token}")}),
        json!({"AUTHORIZATION": format!("bearer {token}")}),
        json!({"headers": {"authorization": format!("Bearer {token}")}}),
    ] {
        let mut socket = open(&app).await;
        socket.init(payload).await;
        assert_eq!(socket.hear().await["type"], "connection_ack");
        socket
            .subscribe("1", "{viewer{user{handle}}}", json!({}))
            .await;
        let answer = json!({"data": {"viewer": {"user": {"handle": "alice"}}}});
        assert_eq!(
            socket.hear().await,
            json!({"id": "1", "type": "next", "payload": answer})
        );
        assert_eq!(socket.hear().await, json!({"id": "1", "type": "complete"}));
    }
}

#[tokio::test]
async fn a_token_that_is_none_closes_the_socket_so_that_clients_come_back_with_another() {
    let app = TestApp::start().await;
    for token in [json!("Bearer nonsense"), json!(""), json!(7)] {
        let mut socket = open(&app).await;
        socket.init(json!({"authorization": token})).await;
        assert_eq!(socket.end().await, Some(4403));
    }
}

#[tokio::test]
async fn misbehaviour_closes_the_socket_with_the_protocol_s_code() {
    let app = TestApp::start().await;
    let init = json!({"type": "connection_init"});
    let subscribe =
        |id: &str, query: &str| json!({"id": id, "type": "subscribe", "payload": {"query": query}});
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let endless = format!("subscription{{messageSent(conversationId:\"{group}\"){{id}}}}");
    let signed_in = json!({"type": "connection_init", "payload": {"authorization": alice.token}});
    let rows: Vec<(&str, Vec<Value>, u16)> = vec![
        (
            "subscribe before init",
            vec![subscribe("1", "{viewer{id}}")],
            4401,
        ),
        ("two inits", vec![init.clone(), init.clone()], 4429),
        (
            "unknown type",
            vec![init.clone(), json!({"type": "dance"})],
            4400,
        ),
        ("no type", vec![json!({})], 4400),
        (
            "subscribe without id",
            vec![
                init.clone(),
                json!({"type": "subscribe", "payload": {"query": "{a}"}}),
            ],
            4400,
        ),
        (
            "subscribe without query",
            vec![
                init.clone(),
                json!({"type": "subscribe", "id": "1", "payload": {}}),
            ],
            4400,
        ),
        (
            "subscribe without payload",
            vec![init.clone(), json!({"type": "subscribe", "id": "1"})],
            4400,
        ),
        (
            "an id in use",
            vec![
                signed_in,
                subscribe("1", &endless),
                subscribe("1", &endless),
            ],
            4409,
        ),
    ];
    for (what, messages, code) in rows {
        let mut socket = open(&app).await;
        for message in &messages {
            socket.say(message).await;
        }
        assert_eq!(socket.end().await, Some(code), "{what}");
    }
}

#[tokio::test]
async fn what_is_no_message_or_too_long_a_one_closes_the_socket() {
    let app = TestApp::start().await;
    for raw in [
        Message::text("nope"),
        Message::binary(vec![0, 1]),
        Message::text("\u{0}\u{1}"),
    ] {
        let mut socket = Socket::signed_in(&app.url, None).await;
        socket.say_raw(raw).await;
        assert_eq!(socket.end().await, Some(4400));
    }
    let mut large = Socket::signed_in(&app.url, None).await;
    large.say_raw(Message::text("x".repeat(300 * 1024))).await;
    assert_eq!(large.end().await, Some(1009));
}

#[tokio::test]
async fn a_socket_without_the_sub_protocol_is_told_so() {
    let app = TestApp::start().await;
    let mut socket = Socket::open(&app.url, None).await;
    assert_eq!(socket.end().await, Some(4406));
    assert!(
        Socket::try_open(&app.url, Some("graphql-ws"))
            .await
            .is_none(),
        "the legacy protocol is not spoken"
    );
}

#[tokio::test]
async fn a_socket_that_never_says_who_it_is_is_closed() {
    let app = TestApp::start_with(Limits {
        socket_init_within: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    assert_eq!(open(&app).await.end().await, Some(4408));
}

#[tokio::test]
async fn a_socket_that_has_gone_silent_is_let_go() {
    let limits = Limits {
        socket_ping_every: Duration::from_millis(20),
        socket_dead_after: Duration::from_millis(200),
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let mut silent = alice.socket().await;
    silent.follow("1", &group, None).await;
    // Not reading means not answering pings, as a machine that is gone does not.
    app.listened_to(1).await;
    app.nobody_listens().await;
    let mut answering = alice.socket().await;
    answering.follow("1", &group, None).await;
    let heard = tokio::time::timeout(Duration::from_millis(600), answering.try_hear()).await;
    assert!(
        heard.is_err(),
        "a client that answers pings stays: {heard:?}"
    );
}

#[tokio::test]
async fn a_ping_is_answered_with_what_it_carried() {
    let app = TestApp::start().await;
    let mut socket = Socket::signed_in(&app.url, None).await;
    socket
        .say(&json!({"type": "ping", "payload": {"n": 1}}))
        .await;
    assert_eq!(
        socket.hear().await,
        json!({"type": "pong", "payload": {"n": 1}})
    );
    socket.say(&json!({"type": "pong"})).await;
    socket.say(&json!({"type": "ping"})).await;
    assert_eq!(socket.hear().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_document_that_is_none_fails_alone() {
    let app = TestApp::start().await;
    let mut socket = Socket::signed_in(&app.url, None).await;
    for (document, code) in [
        ("{", "QUERY_REJECTED"),
        ("subscription{nothing}", "QUERY_REJECTED"),
        (
            "subscription{a:messageSent(conversationId:\"x\"){id} b:messageSent(conversationId:\"x\"){id}}",
            "QUERY_REJECTED",
        ),
        (
            "subscription{messageSent(conversationId:\"x\")@skip(if:true){id}}",
            "QUERY_REJECTED",
        ),
    ] {
        socket.subscribe("1", document, json!({})).await;
        let heard = socket.hear().await;
        assert_eq!(
            (&heard["id"], &heard["type"]),
            (&json!("1"), &json!("error")),
            "{document}"
        );
        assert_eq!(
            heard["payload"][0]["extensions"]["code"], code,
            "{document}: {heard}"
        );
    }
    socket.subscribe("1", "{__typename}", json!({})).await;
    assert_eq!(
        socket.hear().await["payload"],
        json!({"data": {"__typename": "Query"}})
    );
}

#[tokio::test]
async fn one_operation_too_many_is_refused_and_the_others_go_on() {
    let app = TestApp::start_with(Limits {
        socket_operations_max: 2,
        rate_limits: false,
        ..Limits::default()
    })
    .await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let mut socket = alice.socket().await;
    socket.follow("1", &group, None).await;
    socket.follow("2", &group, None).await;
    socket.subscribe("3", "{__typename}", json!({})).await;
    let refused = socket.hear().await;
    assert_eq!(
        (&refused["id"], &refused["type"]),
        (&json!("3"), &json!("error"))
    );
    socket.say(&json!({"id": "1", "type": "complete"})).await;
    socket.subscribe("3", "{__typename}", json!({})).await;
    assert_eq!(socket.hear().await["type"], "next");
    assert_eq!(socket.hear().await["type"], "complete");
    alice.say(&group, "still here").await;
    assert_eq!(socket.texts(1).await, ["still here"]);
}

#[tokio::test]
async fn logging_out_completes_the_streams_and_closes_the_sockets_of_that_session() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let (mut hers, mut his) = (alice.socket().await, bob.socket().await);
    hers.follow("a", &group, None).await;
    his.follow("b", &group, None).await;
    alice.mutate("logOut", "endedSessionId", json!({})).await;
    assert_eq!(hers.hear().await, json!({"id": "a", "type": "complete"}));
    assert_eq!(hers.end().await, Some(4403));
    bob.say(&group, "alice?").await;
    assert_eq!(his.texts(1).await, ["alice?"]);
}

#[tokio::test]
async fn logging_out_over_its_own_socket_is_answered_before_the_socket_closes() {
    let app = TestApp::start().await;
    for n in 0..10 {
        let alice = app.sign_up(&format!("alice_{n}")).await;
        let mut socket = alice.socket().await;
        let document = "mutation{logOut(input:{}){endedSessionId userErrors{code}}}";
        socket.subscribe("1", document, json!({})).await;
        let answer = socket.hear().await;
        assert_eq!(
            answer["payload"]["data"]["logOut"]["userErrors"],
            json!([]),
            "{answer}"
        );
        assert_eq!(socket.hear().await, json!({"id": "1", "type": "complete"}));
        assert_eq!(socket.end().await, Some(4403));
    }
}
