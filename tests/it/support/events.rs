//! Somebody who listens to everything that happens to them.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{Client, Socket};

/// All that an event can say.
pub(crate) const EVENTS: &str = "subscription($after:String){events(after:$after){cursor isCaughtUp resync events{__typename id occurredAt
    ...on MessageSentEvent{messageEdge{cursor node{id seq text sentAt conversation{id title}}} senderMembership{readSeq user{handle}}}
    ...on ConversationAddedEvent{conversationEdge{cursor node{id title kind viewerCan{send}}}}
    ...on ConversationRemovedEvent{conversationId reason channel{id title viewerCan{join}}}
    ...on ConversationUpdatedEvent{conversation{id title topic archivedAt viewerCan{send sendRefusal}}}
    ...on MemberChangedEvent{membershipEdge{cursor node{id role user{handle} conversation{id}}}}
    ...on MemberRemovedEvent{membershipId conversation{id memberCount}}
    ...on ReadStatusChangedEvent{membership{readSeq user{handle} conversation{id}}}
    ...on UserUpdatedEvent{user{handle displayName}}
    ...on FriendRequestChangedEvent{friendRequest{id status sender{handle} recipient{handle}}}
    ...on FriendAddedEvent{friendshipEdge{cursor node{id friend{handle}}}}
    ...on FriendRemovedEvent{friendshipId formerFriend{handle}}
    ...on BlockChangedEvent{user{handle viewerRelationship{status}}}}}}";

/// One delivery.
#[derive(Debug, Clone)]
pub(crate) struct Frame(pub(crate) Value);

impl Frame {
    /// The place after it.
    pub(crate) fn cursor(&self) -> String {
        self.0["cursor"].as_str().expect("a cursor").to_owned()
    }

    /// Whether it brings the client up to date.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.0["isCaughtUp"].as_bool().expect("true or false")
    }

    /// What happened.
    pub(crate) fn events(&self) -> &[Value] {
        self.0["events"].as_array().expect("events")
    }
}

/// A stream of events, and the newest place that was heard.
pub(crate) struct Events {
    socket: Socket,
    heard: VecDeque<Value>,
    /// Where to go on.
    pub(crate) cursor: String,
}

impl Client {
    /// Where one's stream of events is now.
    pub(crate) async fn event_cursor(&self) -> String {
        let reply = self.query("{viewer{eventCursor}}", json!({})).await;
        reply.text("/viewer/eventCursor")
    }

    /// Listens from now on; what happens after this is heard.
    pub(crate) async fn events(&self) -> Events {
        let after = self.event_cursor().await;
        let mut events = self.events_after(&after).await;
        let first = events.frame().await;
        assert_eq!(first.events(), [] as [Value; 0], "nothing was missed");
        assert!(first.is_caught_up());
        events
    }

    /// Listens from behind a place on.
    pub(crate) async fn events_after(&self, after: &str) -> Events {
        let mut socket = self.socket().await;
        let variables = json!({ "after": after });
        socket.subscribe("e", EVENTS, variables).await;
        Events {
            socket,
            heard: VecDeque::new(),
            cursor: after.to_owned(),
        }
    }

    /// Everything that was missed since a place, and the place after it.
    pub(crate) async fn missed(&self, after: &str) -> (Vec<Value>, String) {
        let mut events = self.events_after(after).await;
        let mut missed = Vec::new();
        loop {
            let frame = events.frame().await;
            assert_eq!(frame.0["resync"], json!(null));
            missed.extend(frame.events().iter().cloned());
            if frame.is_caught_up() {
                return (missed, frame.cursor());
            }
        }
    }
}

impl Events {
    /// The next delivery.
    pub(crate) async fn frame(&mut self) -> Frame {
        let heard = self.socket.hear().await;
        assert_eq!(heard["type"], "next", "{heard}");
        assert_eq!(heard["payload"].get("errors"), None, "{heard}");
        let frame = Frame(heard["payload"]["data"]["events"].clone());
        self.cursor = frame.cursor();
        frame
    }

    /// The next thing that happened.
    pub(crate) async fn event(&mut self) -> Value {
        loop {
            if let Some(event) = self.heard.pop_front() {
                return event;
            }
            let frame = self.frame().await;
            self.heard.extend(frame.events().iter().cloned());
        }
    }

    /// The next things that happened, in a few words each.
    pub(crate) async fn told(&mut self, count: usize) -> Vec<String> {
        let mut told = Vec::new();
        while told.len() < count {
            told.push(in_words(&self.event().await));
        }
        told
    }

    /// How the stream ends.
    pub(crate) async fn end(&mut self) -> Value {
        self.socket.hear().await
    }
}

/// An event in a few words: what it is called, and what tells it from others of its kind.
pub(crate) fn in_words(event: &Value) -> String {
    let text = |pointer: &str| match event.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => panic!("no {pointer} in {event}"),
    };
    let name = text("/__typename");
    let name = name.trim_end_matches("Event");
    let details: &[&str] = match name {
        "MessageSent" => &["/messageEdge/node/text"],
        "ConversationAdded" => &["/conversationEdge/node/title"],
        "ConversationRemoved" => &["/reason"],
        "ConversationUpdated" => &["/conversation/title"],
        "MemberChanged" => &[
            "/membershipEdge/node/user/handle",
            "/membershipEdge/node/role",
        ],
        "MemberRemoved" => &["/conversation/memberCount"],
        "ReadStatusChanged" => &["/membership/user/handle", "/membership/readSeq"],
        "UserUpdated" => &["/user/displayName"],
        "FriendRequestChanged" => &["/friendRequest/sender/handle", "/friendRequest/status"],
        "FriendAdded" => &["/friendshipEdge/node/friend/handle"],
        "FriendRemoved" if event["formerFriend"].is_null() => &["/formerFriend"],
        "FriendRemoved" => &["/formerFriend/handle"],
        "BlockChanged" => &["/user/handle", "/user/viewerRelationship/status"],
        _ => panic!("an unknown event: {event}"),
    };
    let mut words = vec![name.to_owned()];
    words.extend(details.iter().map(|detail| text(detail)));
    words.join(" ")
}

/// The position that an event's identifier holds: 64 bits before the last 8.
pub(crate) fn position(event: &Value) -> i64 {
    let text = event["id"]
        .as_str()
        .expect("an id")
        .trim_start_matches("event_");
    let digit = |byte| {
        b"0123456789abcdefghjkmnpqrstvwxyz"
            .iter()
            .position(|other| *other == byte)
    };
    let bits = text.bytes().fold(0_u128, |bits, byte| {
        bits << 5 | digit(byte).expect("a digit") as u128
    });
    i64::try_from(bits >> 8 & u128::from(u64::MAX)).expect("a position")
}

/// Events in a few words each.
pub(crate) fn all_in_words(events: &[Value]) -> Vec<String> {
    events.iter().map(in_words).collect()
}
