//! What one client may take of the server: connections, messages, time, tries at a password. And what is shown to whom.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use parlor::{model::Limits, transport::Doors};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::support::{Client, PASSWORD, SOON, Socket, TestApp, events_over_http::Listening, until};

const EVERYTHING: &str = "subscription{events{cursor}}";
const EVENTS: (&str, &str) = ("accept", "text/event-stream");
const PARTS: (&str, &str) = ("accept", "multipart/mixed;subscriptionSpec=1.0");

#[tokio::test]
async fn a_user_has_so_many_lasting_connections_on_whatever_wire() {
    let limits = Limits {
        streams_per_user_max: 3,
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let (alice, bob) = app.alice_and_bob().await;
    let socket = alice.socket().await;
    let _events = Listening::events(&alice, EVERYTHING, json!({})).await;
    let _parts = Listening::try_open(&alice, &[PARTS], EVERYTHING, json!({})).await;
    for wire in [EVENTS, PARTS] {
        let one_more = Listening::try_open(&alice, &[wire], EVERYTHING, json!({})).await;
        let refused = one_more.err().expect("refused");
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (429, &"1".parse().expect("a header"))
        );
    }
    let reserve = reqwest::Client::new().put(&alice.url);
    let reserve = reserve.bearer_auth(alice.token.as_deref().expect("a token"));
    assert_eq!(reserve.send().await.expect("an answer").status(), 429);
    let head = reqwest::Client::new().head(&alice.url).send().await;
    assert_eq!(
        head.expect("an answer").status(),
        405,
        "and uses nothing up"
    );
    let mut one_more = Socket::open(&app.url, Some("graphql-transport-ws")).await;
    one_more.init(json!({"authorization": alice.token})).await;
    assert_eq!(
        one_more.end().await,
        Some(1013),
        "a code on which clients come back"
    );
    let _his = bob.socket().await;
    let posted = alice.query("{viewer{user{handle}}}", json!({})).await;
    assert_eq!(
        posted.at("/viewer/user/handle"),
        "alice",
        "what does not last is not counted"
    );
    drop(socket);
    until(|| async {
        let token = alice.token.as_deref().expect("a token");
        Socket::try_signed_in(&app.url, token).await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn tries_that_are_no_guesses_are_not_counted() {
    let limits = Limits {
        log_in_failures_per_minute: 3,
        password_hashes_waiting: 0,
        password_hashes_at_once: 1,
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    app.sign_up("alice").await;
    let input = json!({"i": {"handle": "alice", "password": PASSWORD}});
    let document = "mutation($i:LogInInput!){logIn(input:$i){token{value}}}";
    let tries = (0..8).map(|_| async { app.anonymous().run(document, input.clone()).await });
    let tries = futures_util::future::join_all(tries).await;
    assert!(
        tries.iter().any(|tried| tried.codes() == ["UNAVAILABLE"]),
        "{tries:?}"
    );
    let again = app.anonymous().run(document, input).await;
    assert_eq!(
        again.codes(),
        [""; 0],
        "her own haste does not lock her out"
    );
}

#[tokio::test]
async fn who_floods_a_socket_is_shown_out_and_may_come_back() {
    let limits = Limits {
        socket_messages_burst: 50,
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let mut flooding = Socket::signed_in(&app.url, None).await;
    for _ in 0..60 {
        if flooding.try_say(&json!({"type": "ping"})).await.is_none() {
            break;
        }
    }
    assert_eq!(flooding.end().await, Some(1013));
    let mut patient = Socket::signed_in(&app.url, None).await;
    for _ in 0..30 {
        patient.say(&json!({"type": "ping"})).await;
        assert_eq!(patient.hear().await["type"], "pong");
    }
}

#[tokio::test]
async fn a_name_of_an_operation_and_the_values_of_a_message_are_bounded() {
    let app = TestApp::start().await;
    let mut socket = Socket::signed_in(&app.url, None).await;
    socket
        .subscribe(&"x".repeat(300), "{__typename}", json!({}))
        .await;
    assert_eq!(socket.end().await, Some(4400));
    let mut socket = Socket::signed_in(&app.url, None).await;
    let many = format!(r#"{{"type":"ping","payload":[{}1]}}"#, "1,".repeat(20_000));
    socket.say_raw(Message::text(many)).await;
    assert_eq!(socket.end().await, Some(1009));
    let values = vec![json!([]); 20_000];
    let reply = app
        .anonymous()
        .post("query($v:ID){node(id:$v){id}}", json!({"v": values}))
        .await;
    assert_eq!(reply.status(), 400);
}

/// Sends bytes, perhaps nothing, and waits until the server has had enough; what it said.
async fn raw(app: &TestApp, bytes: &[u8]) -> String {
    let address = app
        .url
        .trim_start_matches("http://")
        .trim_end_matches("/graphql");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let mut said = Vec::new();
    let read = tokio::time::timeout(SOON, stream.read_to_end(&mut said)).await;
    // A connection that is cut is an end, too.
    drop(read.expect("the server should have ended it by now"));
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn who_does_not_come_to_the_point_is_not_waited_for() {
    let limits = Limits {
        head_within: Duration::from_millis(100),
        body_within: Duration::from_millis(100),
        socket_init_within: Duration::from_millis(100),
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    for nothing in [&b""[..], b"P", b"POST /graphql HTTP/1.1\r\nHost: x\r\n"] {
        let said = raw(&app, nothing).await;
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 408"),
            "{said}"
        );
    }
    let half = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"query";
    assert!(raw(&app, half).await.starts_with("HTTP/1.1 408"));
    let cut = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n{";
    assert!(raw(&app, cut).await.starts_with("HTTP/1.1 413"));
    assert_eq!(
        app.anonymous().run("{__typename}", json!({})).await.codes(),
        [""; 0]
    );
}

#[tokio::test]
async fn who_has_said_half_a_request_is_let_go_when_the_server_stops() {
    let limits = Limits {
        head_within: Duration::from_mins(10),
        stop_within: Duration::from_millis(400),
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let address = app
        .url
        .trim_start_matches("http://")
        .trim_end_matches("/graphql");
    let mut half = TcpStream::connect(address).await.expect("a connection");
    half.write_all(b"POST /graphql HTTP/1.1\r\nHost: x\r\n")
        .await
        .expect("sent");
    // The server has met this connection when it answers one that came after it.
    assert_eq!(
        app.anonymous().run("{__typename}", json!({})).await.codes(),
        [""; 0]
    );
    app.stop().await;
    let mut said = Vec::new();
    let read = tokio::time::timeout(SOON, half.read_to_end(&mut said)).await;
    // Cut or ended, but not kept.
    drop(read.expect("the server should have let go by now"));
}

async fn guess(client: &reqwest::Client, app: &TestApp, handle: &str, from: &str) -> Value {
    let query = "mutation($i:LogInInput!){logIn(input:$i){userErrors{code}}}";
    let variables = json!({"i": {"handle": handle, "password": "not the password"}});
    let request = client
        .post(&app.url)
        .header("x-forwarded-for", from)
        .json(&json!({"query": query, "variables": variables}));
    request
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("json")
}

fn is_limited(answer: &Value) -> bool {
    answer["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
}

#[tokio::test]
async fn an_address_has_so_many_guesses_whatever_the_handle_and_a_trusted_proxy_says_whose_they_are()
 {
    let limits = Limits {
        log_in_failures_per_address: 4,
        ..Limits::default()
    };
    let doors = Doors {
        proxies: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Doors::default()
    };
    let http = reqwest::Client::new();
    let trusting = TestApp::start_behind(limits.clone(), doors).await;
    for n in 0..4 {
        assert!(!is_limited(
            &guess(&http, &trusting, &format!("handle_{n}"), "192.0.2.1").await
        ));
    }
    assert!(is_limited(
        &guess(&http, &trusting, "handle_5", "192.0.2.1").await
    ));
    assert!(
        !is_limited(&guess(&http, &trusting, "handle_5", "192.0.2.2").await),
        "somebody else"
    );
    trusting.clock.turn(60_000);
    assert!(!is_limited(
        &guess(&http, &trusting, "handle_6", "192.0.2.1").await
    ));
    // Without a proxy that is trusted anybody could write that header.
    let plain = TestApp::start_with(limits).await;
    for n in 0..4 {
        assert!(!is_limited(
            &guess(
                &http,
                &plain,
                &format!("handle_{n}"),
                &format!("192.0.2.{n}")
            )
            .await
        ));
    }
    assert!(is_limited(
        &guess(&http, &plain, "handle_5", "192.0.2.9").await
    ));
    let mut socket = Socket::signed_in(&plain.url, None).await;
    let document = "mutation{logIn(input:{handle:\"handle_6\",password:\"x\"}){userErrors{code}}}";
    socket.subscribe("1", document, json!({})).await;
    assert!(
        is_limited(&socket.hear().await["payload"]),
        "a socket is no way around it"
    );
    let right = json!({"i": {"handle": "handle_7", "password": PASSWORD}});
    let refused = plain
        .anonymous()
        .run(
            "mutation($i:LogInInput!){logIn(input:$i){userErrors{code}}}",
            right,
        )
        .await;
    assert!(is_limited(&refused.0));
}

#[tokio::test]
async fn the_schema_is_shown_and_names_are_proposed_where_that_is_on() {
    let question = "{__schema{queryType{name}}}";
    let slip = "{viewer{usr{id}}}";
    let closed = TestApp::start().await.anonymous();
    let refused = closed.run(question, json!({})).await;
    assert_eq!(refused.codes(), ["QUERY_REJECTED"]);
    assert!(
        refused
            .text("/errors/0/message")
            .contains("--introspection on")
    );
    assert!(
        !closed
            .run(slip, json!({}))
            .await
            .text("/errors/0/message")
            .contains("mean")
    );
    let limits = Limits {
        introspection: true,
        suggestions: true,
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let open: Client = app.anonymous();
    assert_eq!(
        open.query(question, json!({}))
            .await
            .text("/__schema/queryType/name"),
        "Query"
    );
    assert!(
        open.run(slip, json!({}))
            .await
            .text("/errors/0/message")
            .contains("\"user\"")
    );
}

#[tokio::test]
async fn a_document_is_sent_once_and_then_its_hash_is_enough() {
    use sha2::{Digest, Sha256};
    let app = TestApp::start().await;
    let document = "query Me{viewer{user{handle}}}";
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(document.as_bytes()));
    let ask = |query: Option<&'static str>, extension: Value| {
        let mut body = json!({"extensions": {"persistedQuery": extension}});
        if let Some(query) = query {
            body["query"] = json!(query);
        }
        let asking = reqwest::Client::new().post(&app.url).json(&body).send();
        async {
            let reply = asking.await;
            reply
                .expect("an answer")
                .json::<Value>()
                .await
                .expect("json")
        }
    };
    let by_hash = json!({"version": 1, "sha256Hash": hash});
    let unknown = ask(None, by_hash.clone()).await;
    assert_eq!(unknown["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(
        unknown["errors"][0]["extensions"]["code"],
        "PERSISTED_QUERY_NOT_FOUND"
    );
    let wrong = ask(Some("{__typename}"), by_hash.clone()).await;
    assert_eq!(wrong["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    for odd in [
        json!(7),
        json!({"version": 2, "sha256Hash": hash}),
        json!({"version": 1, "sha256Hash": "abc"}),
    ] {
        assert_eq!(
            ask(None, odd).await["errors"][0]["extensions"]["code"],
            "BAD_USER_INPUT"
        );
    }
    assert_eq!(
        ask(Some(document), by_hash.clone()).await["data"],
        json!({"viewer": null})
    );
    assert_eq!(
        ask(None, by_hash.clone()).await["data"],
        json!({"viewer": null})
    );
    let mut url = reqwest::Url::parse(&app.url).expect("an address");
    let extensions = json!({"persistedQuery": by_hash}).to_string();
    url.query_pairs_mut().append_pair("extensions", &extensions);
    let got: Value = reqwest::get(url)
        .await
        .expect("an answer")
        .json()
        .await
        .expect("json");
    assert_eq!(got["data"], json!({"viewer": null}));
    let mut socket = Socket::signed_in(&app.url, None).await;
    let payload = json!({"extensions": {"persistedQuery": by_hash}});
    socket
        .say(&json!({"id": "1", "type": "subscribe", "payload": payload}))
        .await;
    assert_eq!(
        socket.hear().await["payload"]["data"],
        json!({"viewer": null})
    );
}

/// A socket to a server, of a machine that holds little for it.
async fn small_socket(
    app: &TestApp,
    who: &Client,
) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    let address = app
        .url
        .trim_start_matches("http://")
        .trim_end_matches("/graphql");
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket
        .set_recv_buffer_size(4 * 1024)
        .expect("a small buffer");
    let stream = socket
        .connect(address.parse().expect("an address"))
        .await
        .expect("a connection");
    let mut request = app
        .url
        .replacen("http", "ws", 1)
        .into_client_request()
        .expect("a request");
    let protocol = "graphql-transport-ws".parse().expect("a header");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = client_async(request, stream).await.expect("a socket");
    let init = json!({"type": "connection_init", "payload": {"authorization": who.token}});
    socket
        .send(Message::text(init.to_string()))
        .await
        .expect("said");
    let ack = socket.next().await.expect("an answer").expect("an ack");
    assert_eq!(ack, Message::text(r#"{"type":"connection_ack"}"#));
    socket
}

#[tokio::test]
async fn who_stops_reading_is_shown_out_with_a_code_and_misses_nothing_in_the_end() {
    let limits = Limits {
        rate_limits: false,
        socket_write_within: Duration::from_millis(300),
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let mut stalled = small_socket(&app, &bob).await;
    let follow = "subscription($c:ID!){messageSent(conversationId:$c){seq text}}";
    let payload = json!({"query": follow, "variables": {"c": group}});
    let begin = json!({"id": "1", "type": "subscribe", "payload": payload});
    stalled
        .send(Message::text(begin.to_string()))
        .await
        .expect("said");
    app.listened_to(1).await;
    let mut hers = alice.socket().await;
    hers.follow("1", &group, None).await;
    let long = "x".repeat(9_000);
    for n in 0..120 {
        alice.say(&group, &format!("{n} {long}")).await;
        assert_eq!(hers.message().await["seq"], n + 1, "she hears all the time");
    }
    // The server has given him up, though he has read nothing; she is still there.
    until(|| async { (app.hub.listened_to().1 == 1).then_some(()) }).await;
    let (mut seqs, mut code) = (Vec::new(), None);
    while let Some(Ok(message)) = stalled.next().await {
        match message {
            Message::Text(text) => {
                let heard: Value = serde_json::from_str(&text).expect("json");
                seqs.push(
                    heard["payload"]["data"]["messageSent"]["seq"]
                        .as_i64()
                        .expect("a number"),
                );
            }
            Message::Close(frame) => code = frame.map(|frame| u16::from(frame.code)),
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
    // Cut off in the middle of a frame it is 1006 to a client, on which it comes back as on ours.
    assert!(matches!(code, Some(4499) | None), "{code:?}");
    assert!(seqs.len() < 120, "he did not take all");
    let mut back = bob.socket().await;
    let behind = json!({"c": group, "a": seqs.last()});
    let follow = "subscription($c:ID!$a:Int){messageSent(conversationId:$c,afterSeq:$a){seq}}";
    back.subscribe("1", follow, behind).await;
    while seqs.last() != Some(&120) {
        seqs.push(back.message().await["seq"].as_i64().expect("a number"));
    }
    assert_eq!(seqs, (1..=120).collect::<Vec<_>>());
}
