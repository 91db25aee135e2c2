//! What is made of a message: by the library, read at once, alone, or shared by all who select the same. All are one.

use std::collections::BTreeSet;

use async_graphql::parser::types::FieldDefinition;
use parlor::model::Limits;
use serde_json::{Value, json};

use crate::{
    access::{Types, asked, types},
    support::{Client, Socket, TestApp},
};

const TYPES: [&str; 4] = ["Message", "Conversation", "User", "Membership"];

/// A way from a message to each field of what it leads to.
fn ways() -> Vec<String> {
    let types = types();
    TYPES.iter().flat_map(|of| ways_to(&types, of)).collect()
}

fn ways_to(types: &Types, of: &str) -> Vec<String> {
    let way = |field: &FieldDefinition| {
        let field = asked(types, of, field);
        match of {
            "Message" => field,
            "Conversation" => format!("conversation{{{field}}}"),
            "User" => format!("sender{{{field}}}"),
            "Membership" => format!("conversation{{viewerMembership{{{field}}}}}"),
            _ => panic!("no way to {of}"),
        }
    };
    types[of].iter().map(way).collect()
}

fn quick() -> Limits {
    Limits {
        rate_limits: false,
        socket_operations_max: 200,
        ..Limits::default()
    }
}

/// One subscription for each way, from a number on. Whose reading is asked for by name depends on nobody who asks.
async fn follow(
    who: &Client,
    conversation: &str,
    after: i64,
    owner: &str,
    ways: &[String],
) -> Socket {
    let mut socket = who.socket().await;
    for (id, way) in ways.iter().enumerate() {
        let document = format!(
            "subscription($c:ID! $after:Int $owner:ID!){{messageSent(conversationId:$c afterSeq:$after)
            {{id seq readStatus(userId:$owner) a:{way}}}}}"
        );
        let variables = json!({"c": conversation, "after": after, "owner": owner});
        let id = id.to_string();
        socket.subscribe(&id, &document, variables).await;
    }
    socket
}

/// What each subscription makes of the message with this number; what came before it is passed over.
async fn heard(socket: &mut Socket, seq: i64, ways: &[String]) -> Vec<Value> {
    let mut heard = vec![Value::Null; ways.len()];
    while heard.contains(&Value::Null) {
        let frame = socket.hear().await;
        let id = frame["id"].as_str().and_then(|id| id.parse().ok());
        let id: usize = id.expect("an id");
        assert_eq!(frame["type"], "next", "{frame} for {}", ways[id]);
        let payload = &frame["payload"];
        assert!(payload.get("errors").is_none(), "{frame} for {}", ways[id]);
        let message = &payload["data"]["messageSent"];
        if message["seq"] == seq {
            heard[id] = message.clone();
        }
    }
    heard
}

/// What somebody gets who asks for it alone, when nothing is written any more.
async fn alone(who: &Client, message: &str, owner: &str, way: &str) -> Value {
    let document = format!(
        "query($m:ID! $owner:ID!){{node(id:$m){{...on Message{{id seq readStatus(userId:$owner) a:{way}}}}}}}"
    );
    let reply = who
        .query(&document, json!({"m": message, "owner": owner}))
        .await;
    reply.at("/node").clone()
}

#[tokio::test]
async fn nobody_hears_what_another_viewer_would_see_whatever_field_they_select() {
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob]).await;
    let ways = ways();
    carol.befriend(&bob).await;
    alice.say(&group, "before").await;
    // Bob has another device that comes back from further away.
    let mut hers = follow(&alice, &group, 1, &alice.id, &ways).await;
    let mut his = follow(&bob, &group, 1, &alice.id, &ways).await;
    let mut his_too = follow(&bob, &group, 0, &alice.id, &ways).await;
    alice.say(&group, "now all of them listen").await;
    for listener in [&mut hers, &mut his, &mut his_too] {
        heard(listener, 2, &ways).await;
    }
    let sent = alice.send(&group, "hello", Some("key")).await;
    let message = sent.text("/messageEdge/node/id");
    let to_alice = heard(&mut hers, 3, &ways).await;
    let to_bob = heard(&mut his, 3, &ways).await;
    let to_bob_too = heard(&mut his_too, 3, &ways).await;
    let mut differ = BTreeSet::new();
    for (number, way) in ways.iter().enumerate() {
        let for_alice = alone(&alice, &message, &alice.id, way).await;
        let for_bob = alone(&bob, &message, &alice.id, way).await;
        assert_eq!(to_alice[number], for_alice, "{way}, to Alice");
        assert_eq!(to_bob[number], for_bob, "{way}, to Bob");
        assert_eq!(to_bob_too[number], for_bob, "{way}, to Bob's other device");
        if for_alice != for_bob {
            differ.insert(way.as_str());
        }
    }
    // That they differ at all is what makes the rest of it mean something.
    for own in ["viewerReadStatus", "conversation{viewerUnreadCount}"] {
        assert!(differ.contains(own), "{own} does not differ: {differ:?}");
    }
}

/// Selections of a message, with the fragments in them. Of most of them all can be read at once.
const SELECTIONS: [(&str, &str); 11] = [
    ("id", ""),
    ("__typename id idempotencyKey seq sentAt text", ""),
    (
        "sender{id handle displayName avatarUrl createdAt __typename}",
        "",
    ),
    ("number:seq words:text from:sender{who:handle}", ""),
    ("...all id", ALL),
    ("seq ...all seq", ALL),
    ("...on Message{seq text} ...{sentAt} seq", ""),
    ("sender{...on User{id} ...person}", PERSON),
    ("sender{id} sender{handle id}", ""),
    ("...on Node{id} seq", ""),
    ("id @include(if:true) text @skip(if:true)", ""),
];
const ALL: &str = "fragment all on Message{id seq sender{displayName handle}}";
const PERSON: &str = "fragment person on User{displayName handle}";

#[tokio::test]
async fn what_is_read_at_once_is_what_the_library_makes_of_it() {
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let text = "Grüße \"\u{2028}\\\n\tto all";
    alice.send(&group, text, Some("key")).await;
    bob.say(&group, "no key").await;
    alice
        .mutate(
            "updateProfile",
            "user{id}",
            json!({"avatarUrl": "https://a.example/b.png"}),
        )
        .await;
    for (selection, fragments) in SELECTIONS {
        // As text, for the order of the fields is part of it.
        let page = async |also: &str| {
            let node = format!("edges{{cursor __typename node{{{selection} {also}}}}}");
            let document = format!(
                "query($c:ID!){{conversation(id:$c){{messages(last:10){{{node}}}}}}} {fragments}"
            );
            let answer = bob.post(&document, json!({"c": group})).await;
            let text = answer.text().await.expect("a text");
            assert!(!text.contains("errors"), "{text}");
            assert!(text.contains(r#","asker":"READ"}"#) != also.is_empty());
            text.replace(r#","asker":"READ"}"#, "}")
        };
        // For one field more somebody has to be looked up, so the library resolves all of them. (That they are read at
        // once without it is what `make bench-smoke` counts.)
        let resolved = page("asker:viewerReadStatus").await;
        assert_eq!(page("").await, resolved, "{selection}");
    }
}

#[tokio::test]
async fn what_is_selected_twice_is_put_together() {
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let more = "fragment more on MessageConnection{edges{node{text}}}";
    let read = format!(
        "query($c:ID!){{conversation(id:$c){{messages(last:1){{edges{{node{{seq}}}} ...more}}
            messages(last:1){{edges{{node{{sender{{handle}}}}}}}}}}}} {more}"
    );
    let send = "mutation($i:SendMessageInput!){sendMessage(input:$i)
        {messageEdge{node{seq}} ...{messageEdge{node{text sender{handle}}}}}}";
    let hear = "subscription{events{events{...on MessageSentEvent
        {messageEdge{node{seq}} messageEdge{node{text sender{handle}}}}}}}";
    let mut socket = bob.socket().await;
    socket.subscribe("all", hear, json!({})).await;
    // What passes once goes another way from then on.
    for seq in 1..=3 {
        let text = format!("walk {seq}");
        let message = json!({"seq": seq, "text": text, "sender": {"handle": "alice"}});
        let edge = json!({"node": message});
        let input = json!({"i": {"conversationId": group, "text": text}});
        let payload = alice.query(send, input).await;
        assert_eq!(*payload.at("/sendMessage/messageEdge"), edge);
        let page = bob.query(&read, json!({"c": group})).await;
        assert_eq!(*page.at("/conversation/messages/edges"), json!([edge]));
        let event = "/payload/data/events/events/0/messageEdge";
        let heard = loop {
            // The first frame says that the stream has begun.
            let frame = socket.hear().await;
            if let Some(heard) = frame.pointer(event) {
                break heard.clone();
            }
        };
        assert_eq!(heard, edge);
    }
}
