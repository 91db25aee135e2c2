//! Subscriptions over HTTP: as server-sent events, each with a response of its own or several on one, and as parts.

use std::time::Duration;

use parlor::model::Limits;
use serde_json::{Value, json};

use crate::support::{Client, SOON, TestApp, events_over_http::Listening, until};

const FOLLOW: &str =
    "subscription($c:ID!$a:Int){messageSent(conversationId:$c,afterSeq:$a){seq text}}";
const EVERYTHING: &str = "subscription($a:String){events(after:$a){cursor events{... on MessageSentEvent{messageEdge{node{text}}}}}}";
const PARTS: (&str, &str) = (
    "accept",
    "multipart/mixed;subscriptionSpec=1.0, application/json",
);

async fn alice_bob_and_a_group() -> (TestApp, Client, Client, String) {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    (app, alice, bob, group)
}

fn texts(frame: &Value) -> Vec<String> {
    let events = frame["data"]["events"]["events"]
        .as_array()
        .expect("events");
    let text = |event: &Value| {
        event["messageEdge"]["node"]["text"]
            .as_str()
            .map(str::to_owned)
    };
    events.iter().filter_map(text).collect()
}

#[tokio::test]
async fn messages_come_as_events_until_the_right_to_read_ends() {
    let (_app, alice, bob, group) = alice_bob_and_a_group().await;
    let mut his = Listening::events(&bob, FOLLOW, json!({"c": group})).await;
    alice.say(&group, "Hungry?").await;
    let event = his.told().await;
    assert_eq!(
        (event.kind.as_str(), event.id.as_deref()),
        ("next", Some("1"))
    );
    assert_eq!(
        event.data,
        json!({"data": {"messageSent": {"seq": 1, "text": "Hungry?"}}})
    );
    let input = json!({"conversationId": group, "userId": bob.id});
    alice
        .mutate("removeMember", "removedMembershipId", input)
        .await;
    assert_eq!(his.told().await.kind, "complete");
    assert_eq!(his.try_event().await, None);
}

#[tokio::test]
async fn who_comes_back_with_the_last_event_s_id_misses_nothing_and_repeats_nothing() {
    let (_app, alice, bob, group) = alice_bob_and_a_group().await;
    let mut messages = Listening::events(&bob, FOLLOW, json!({"c": group})).await;
    let mut events = Listening::events(&bob, EVERYTHING, json!({})).await;
    let begun = events.told().await;
    assert_eq!(
        begun.id.as_deref(),
        begun.data["data"]["events"]["cursor"].as_str()
    );
    alice.say(&group, "one").await;
    let (message, event) = (messages.told().await, events.told().await);
    drop((messages, events));
    for text in ["two", "three"] {
        alice.say(&group, text).await;
    }
    let id = message.id.expect("an id");
    let mut messages = Listening::events_after(&bob, &id, FOLLOW, json!({"c": group})).await;
    for text in ["two", "three"] {
        assert_eq!(
            messages.told().await.data["data"]["messageSent"]["text"],
            text
        );
    }
    // What the client first subscribed with does not count any more.
    let first = json!({"a": begun.id});
    let id = event.id.expect("an id");
    let mut events = Listening::events_after(&bob, &id, EVERYTHING, first).await;
    let mut heard = Vec::new();
    while heard.len() < 2 {
        heard.extend(texts(&events.told().await.data));
    }
    assert_eq!(heard, ["two", "three"]);
    let mut wrong = Listening::events_after(&bob, "nonsense", FOLLOW, json!({"c": group})).await;
    let refused = wrong.told().await.data;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn messages_come_as_parts_for_who_likes_those() {
    let (_app, alice, bob, group) = alice_bob_and_a_group().await;
    let open = Listening::try_open(&bob, &[PARTS], FOLLOW, json!({"c": group})).await;
    let mut his = open.expect("parts");
    alice.say(&group, "Hungry?").await;
    let message = json!({"data": {"messageSent": {"seq": 1, "text": "Hungry?"}}});
    assert_eq!(his.part().await, Some(json!({"payload": message})));
    let input = json!({"conversationId": group, "userId": bob.id});
    alice
        .mutate("removeMember", "removedMembershipId", input)
        .await;
    assert_eq!(his.end().await, "--\r\n");
}

#[tokio::test]
async fn a_query_and_what_is_no_document_are_answered_on_a_stream_for_who_takes_nothing_else() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    for (document, answer) in [
        ("{__typename}", json!({"data": {"__typename": "Query"}})),
        ("{", Value::Null),
        ("subscription{nothing}", Value::Null),
    ] {
        let mut stream = Listening::events(&nobody, document, json!({})).await;
        let told = stream.told().await.data;
        if answer.is_null() {
            assert_eq!(
                told["errors"][0]["extensions"]["code"], "QUERY_REJECTED",
                "{told}"
            );
        } else {
            assert_eq!(told, answer);
        }
        assert_eq!(stream.told().await.kind, "complete");
        assert_eq!(stream.try_event().await, None);
    }
}

#[tokio::test]
async fn a_session_that_ends_ends_what_listens_over_http() {
    let (_app, alice, _bob, group) = alice_bob_and_a_group().await;
    let follow = json!({"c": group});
    let mut events = Listening::events(&alice, FOLLOW, follow.clone()).await;
    let mut parts = Listening::try_open(&alice, &[PARTS], FOLLOW, follow.clone())
        .await
        .expect("parts");
    alice.mutate("logOut", "endedSessionId", json!({})).await;
    let told = events.told().await;
    assert_eq!(
        told.data["errors"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
    assert_eq!(events.told().await.kind, "complete");
    let fatal = parts.part().await.expect("a part");
    assert_eq!(fatal["payload"], Value::Null);
    assert_eq!(fatal["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(parts.end().await, "--\r\n");
    let again = Listening::try_open(&alice, &[PARTS], FOLLOW, follow).await;
    assert_eq!(again.err().expect("refused").status(), 401);
}

#[tokio::test]
async fn a_server_that_stops_breaks_streams_off_so_that_clients_come_back() {
    let (app, alice, bob, group) = alice_bob_and_a_group().await;
    let follow = json!({"c": group});
    let mut events = Listening::events(&bob, FOLLOW, follow.clone()).await;
    let open = Listening::try_open(&bob, &[PARTS], FOLLOW, follow).await;
    let mut parts = open.expect("parts");
    alice.say(&group, "Good night").await;
    assert_eq!(events.told().await.kind, "next");
    assert!(parts.part().await.is_some());
    tokio::time::timeout(SOON, app.stop())
        .await
        .expect("stopped");
    assert_eq!(events.try_event().await, None, "broken off: no `complete`");
    let fatal = parts.part().await.expect("a part");
    assert_eq!(fatal["errors"][0]["extensions"]["code"], "UNAVAILABLE");
}

#[tokio::test]
async fn a_stream_on_which_nothing_happens_says_that_it_is_alive() {
    let limits = Limits {
        stream_ping_every: Duration::from_millis(20),
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let follow = json!({"c": group});
    let mut events = Listening::events(&alice, FOLLOW, follow.clone()).await;
    for _ in 0..3 {
        assert_eq!(events.event().await.kind, "alive");
    }
    let mut parts = Listening::try_open(&alice, &[PARTS], FOLLOW, follow.clone())
        .await
        .expect("parts");
    assert_eq!(parts.part().await, Some(json!({})));
    // A client that knows no such part would take it for a result.
    let plain = [("accept", "multipart/mixed")];
    let open = Listening::try_open(&alice, &plain, FOLLOW, follow).await;
    let mut plain = open.expect("parts");
    for _ in 0..3 {
        assert_eq!(events.event().await.kind, "alive");
    }
    alice.say(&group, "at last").await;
    let message = plain.part().await.expect("a part");
    assert_eq!(message["payload"]["data"]["messageSent"]["text"], "at last");
}

/// A stream that carries several operations.
struct Shared {
    url: String,
    token: String,
    who: Client,
}

impl Shared {
    async fn reserve(who: &Client) -> reqwest::Response {
        let mut request = reqwest::Client::new().put(&who.url);
        if let Some(token) = &who.token {
            request = request.bearer_auth(token);
        }
        request.send().await.expect("an answer")
    }

    async fn new(who: &Client) -> Self {
        let reserved = Self::reserve(who).await;
        assert_eq!(reserved.status(), 201);
        Self {
            url: who.url.clone(),
            token: reserved.text().await.expect("a token"),
            who: who.clone(),
        }
    }

    async fn listen(&self, who: &Client) -> Result<Listening, reqwest::Response> {
        let url = format!("{}?token={}", self.url, self.token);
        let request = reqwest::Client::new()
            .get(url)
            .header("accept", "text/event-stream");
        Listening::begin(who, request).await
    }

    /// Begins an operation; the status.
    async fn begin(&self, id: &str, document: &str, variables: Value) -> u16 {
        let body =
            json!({"query": document, "variables": variables, "extensions": {"operationId": id}});
        let request = reqwest::Client::new()
            .post(&self.url)
            .header("x-graphql-event-stream-token", &self.token)
            .json(&body);
        self.send(request).await
    }

    /// Ends an operation; the status.
    async fn end(&self, id: &str) -> u16 {
        let url = format!("{}?operationId={id}", self.url);
        let request = reqwest::Client::new()
            .delete(url)
            .header("x-graphql-event-stream-token", &self.token);
        self.send(request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> u16 {
        let token = self.who.token.as_deref().unwrap_or_default();
        let reply = request.bearer_auth(token).send().await.expect("an answer");
        reply.status().as_u16()
    }
}

#[tokio::test]
async fn one_stream_carries_several_operations_each_under_its_name() {
    let (_app, alice, bob, group) = alice_bob_and_a_group().await;
    let shared = Shared::new(&bob).await;
    assert_eq!(
        shared.begin("early", "{__typename}", json!({})).await,
        409,
        "nobody reads it yet"
    );
    let mut his = shared.listen(&bob).await.expect("a stream");
    assert_eq!(
        shared.begin("q", "{viewer{user{handle}}}", json!({})).await,
        202
    );
    let told = his.told().await.data;
    assert_eq!(
        told,
        json!({"id": "q", "payload": {"data": {"viewer": {"user": {"handle": "bob"}}}}})
    );
    let complete = his.told().await;
    assert_eq!(
        (complete.kind.as_str(), complete.data),
        ("complete", json!({"id": "q"}))
    );
    for id in ["one", "two"] {
        assert_eq!(shared.begin(id, FOLLOW, json!({"c": group})).await, 202);
    }
    assert_eq!(
        shared.begin("one", FOLLOW, json!({"c": group})).await,
        409,
        "it runs"
    );
    assert_eq!(shared.end("two").await, 200);
    // The stream obeys in order: when this is answered, "two" is over.
    assert_eq!(shared.begin("now", "{__typename}", json!({})).await, 202);
    while his.told().await.data != json!({"id": "now"}) {}
    alice.say(&group, "Hungry?").await;
    alice.say(&group, "Now?").await;
    for text in ["Hungry?", "Now?"] {
        let told = his.told().await.data;
        assert_eq!(
            (&told["id"], &told["payload"]["data"]["messageSent"]["text"]),
            (&json!("one"), &json!(text))
        );
    }
    assert_eq!(shared.begin("bad", "{nothing}", json!({})).await, 202);
    let told = his.told().await.data;
    assert_eq!(
        told["payload"]["errors"][0]["extensions"]["code"],
        "QUERY_REJECTED"
    );
    let input = json!({"conversationId": group, "userId": bob.id});
    alice
        .mutate("removeMember", "removedMembershipId", input)
        .await;
    loop {
        let event = his.told().await;
        if event.kind == "complete" && event.data == json!({"id": "one"}) {
            break;
        }
    }
}

#[tokio::test]
async fn a_reserved_stream_is_for_who_reserved_it_and_for_one_listener() {
    let (app, alice, bob, group) = alice_bob_and_a_group().await;
    let shared = Shared::new(&bob).await;
    let refused =
        |open: Result<Listening, reqwest::Response>| open.err().expect("refused").status().as_u16();
    assert_eq!(refused(shared.listen(&alice).await), 404, "it is his");
    assert_eq!(refused(shared.listen(&app.anonymous()).await), 404);
    let mut his = shared.listen(&bob).await.expect("a stream");
    assert_eq!(
        refused(shared.listen(&bob).await),
        409,
        "it is open already"
    );
    let hers = Shared {
        who: alice.clone(),
        ..Shared {
            url: bob.url.clone(),
            token: shared.token.clone(),
            who: alice,
        }
    };
    assert_eq!(
        hers.begin("x", "{viewer{user{handle}}}", json!({})).await,
        404
    );
    assert_eq!(hers.end("x").await, 404);
    let unknown = Shared {
        token: "guess".to_owned(),
        url: shared.url.clone(),
        who: bob.clone(),
    };
    assert_eq!(unknown.begin("x", "{__typename}", json!({})).await, 404);
    assert_eq!(shared.begin("s", FOLLOW, json!({"c": group})).await, 202);
    bob.mutate("logOut", "endedSessionId", json!({})).await;
    let told = his.told().await.data;
    assert_eq!(
        (
            &told["id"],
            &told["payload"]["errors"][0]["extensions"]["code"]
        ),
        (&json!("s"), &json!("UNAUTHENTICATED"))
    );
    assert_eq!(his.told().await.data, json!({"id": "s"}));
    assert_eq!(his.try_event().await, None);
}

#[tokio::test]
async fn a_reserved_stream_runs_so_many_operations_and_waits_so_long() {
    let limits = Limits {
        socket_operations_max: 2,
        reservations_max: 2,
        reservation_within: Duration::from_millis(200),
        ..Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let shared = Shared::new(&alice).await;
    let _open = shared.listen(&alice).await.expect("a stream");
    for id in ["one", "two"] {
        assert_eq!(shared.begin(id, FOLLOW, json!({"c": group})).await, 202);
    }
    assert_eq!(
        shared.begin("three", FOLLOW, json!({"c": group})).await,
        429
    );
    assert_eq!(shared.end("two").await, 200);
    assert_eq!(
        shared.begin("three", FOLLOW, json!({"c": group})).await,
        202
    );
    // A reservation that nobody opens is forgotten, and with it the place of the user whose it was.
    let forgotten = Shared::new(&alice).await;
    until(|| async {
        (forgotten.begin("x", "{__typename}", json!({})).await == 404).then_some(())
    })
    .await;
    let nobody = app.anonymous();
    for _ in 0..2 {
        Shared::new(&nobody).await;
    }
    assert_eq!(Shared::reserve(&nobody).await.status(), 503);
    assert_eq!(
        Shared::reserve(&alice).await.status(),
        201,
        "she is not nobody"
    );
    until(|| async { (Shared::reserve(&nobody).await.status() == 201).then_some(()) }).await;
    assert_eq!(
        shared.begin("one", FOLLOW, json!({"c": group})).await,
        409,
        "the open one stays"
    );
}
