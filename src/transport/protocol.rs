//! The words of graphql-transport-ws (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>).

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};
use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use super::operation::Told;

/// The sub-protocol's name.
pub(super) const NAME: &str = "graphql-transport-ws";

/// What a client says.
pub(super) enum Said {
    ConnectionInit {
        payload: Option<async_graphql::Value>,
    },
    Ping {
        /// Given back as it came.
        payload: Option<Box<RawValue>>,
    },
    Pong,
    Subscribe {
        id: String,
        payload: Box<async_graphql::Request>,
    },
    Complete {
        id: String,
    },
}

/// A message as it came. What is in it is read when it is known what it has to be.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    ConnectionInit,
    Ping,
    Pong,
    Subscribe,
    Complete,
}

impl Said {
    /// What a text says, if that is something.
    pub(super) fn read(text: &str) -> Option<Self> {
        let Frame { kind, id, payload } = serde_json::from_str(text).ok()?;
        Some(match kind {
            Kind::ConnectionInit => Self::ConnectionInit {
                payload: payload.map(read).transpose().ok()?,
            },
            Kind::Ping => Self::Ping {
                payload: payload.map(ToOwned::to_owned),
            },
            Kind::Pong => Self::Pong,
            Kind::Subscribe => Self::Subscribe {
                id: read(id?).ok()?,
                payload: read(payload?).ok()?,
            },
            Kind::Complete => Self::Complete {
                id: read(id?).ok()?,
            },
        })
    }
}

/// Never into a `serde_json::Value`: that takes an object with a certain key for JSON within a string, where nothing is counted.
fn read<T: DeserializeOwned>(raw: &RawValue) -> serde_json::Result<T> {
    serde_json::from_str(raw.get())
}

/// Why a socket is closed. Clients try again after 1012, 1013, 4403, 4408 and 4499; the others are faults of the client
/// program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// The server stops.
    Restart,
    BadMessage,
    /// `subscribe` before `connection_ack`.
    Unauthorized,
    /// The token is not valid, or not any more.
    Forbidden,
    NoSubprotocol,
    InitTimeout,
    DuplicateId,
    SecondInit,
    /// Too much in one message.
    TooLarge,
    /// The server failed.
    Failed,
    /// The user has too many connections.
    TooMany,
    /// The client says more than anybody has to say.
    TooMuch,
    /// The client did not take what it was told.
    TooSlow,
}

impl Close {
    pub(super) fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Self::Restart => (1012, "Service restart"),
            Self::TooLarge => (1009, "Message too big"),
            Self::Failed => (1013, "Try again later"),
            Self::TooMany => (1013, "Too many connections of this user"),
            Self::TooMuch => (1013, "Too many messages; say less"),
            Self::TooSlow => (4499, "Too slow; come back and go on from where you are"),
            Self::BadMessage => (4400, "Invalid message"),
            Self::Unauthorized => (4401, "Unauthorized"),
            Self::Forbidden => (4403, "Forbidden"),
            Self::NoSubprotocol => (4406, "Subprotocol not acceptable"),
            Self::InitTimeout => (4408, "Connection initialisation timeout"),
            Self::DuplicateId => (4409, "Subscriber already exists"),
            Self::SecondInit => (4429, "Too many initialisation requests"),
        };
        CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        }
    }
}

/// An operation's id, as JSON text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct OperationId(Arc<str>);

impl OperationId {
    pub(super) fn new(id: &str) -> Self {
        Self(Value::from(id).to_string().into())
    }
}

/// What is told of an operation, as frames.
pub(super) fn frames(told: &Told, id: &OperationId) -> (Message, Option<Message>) {
    let complete = || Message::text(format!(r#"{{"id":{},"type":"complete"}}"#, id.0));
    match told {
        Told::Next(response, _) => (message(id, "next", response), None),
        Told::Only(response) => (message(id, "next", response), Some(complete())),
        Told::Error(errors) => (message(id, "error", errors), None),
        Told::Complete => (complete(), None),
    }
}

/// A frame around JSON that is made already: for many listeners only the id differs.
fn message(id: &OperationId, kind: &str, payload: &Bytes) -> Message {
    // Bytes of JSON that we wrote are UTF-8.
    let payload = std::str::from_utf8(payload).unwrap_or("null");
    // In one piece, exactly as long as it is: else it would be moved, or remembered how long it could be.
    let parts = [
        r#"{"id":"#,
        &id.0,
        r#","type":""#,
        kind,
        r#"","payload":"#,
        payload,
        "}",
    ];
    Message::text(parts.concat())
}

/// The answer to `connection_init`.
pub(super) const ACK: &str = r#"{"type":"connection_ack"}"#;

/// The answer to a ping, with what came with it.
pub(super) fn pong(payload: Option<&RawValue>) -> Message {
    match payload {
        Some(payload) => Message::text(format!(r#"{{"type":"pong","payload":{payload}}}"#)),
        None => Message::text(r#"{"type":"pong"}"#),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_json_whatever_the_id() {
        let id = OperationId::new("a\"b\n");
        let told = Told::Only(Bytes::from_static(br#"{"data":{"a":1}}"#));
        let (frame, rest) = frames(&told, &id);
        let frame: Value = serde_json::from_slice(&frame.into_data()).expect("json");
        assert_eq!(
            frame,
            serde_json::json!({"id": "a\"b\n", "type": "next", "payload": {"data": {"a": 1}}})
        );
        let rest: Value =
            serde_json::from_slice(&rest.expect("two frames").into_data()).expect("json");
        assert_eq!(
            rest,
            serde_json::json!({"id": "a\"b\n", "type": "complete"})
        );
    }

    #[test]
    fn what_a_client_may_say_is_known() {
        let said = |text| Said::read(text).is_some();
        assert!(said(r#"{"type":"connection_init"}"#));
        assert!(said(r#"{"type":"pong","payload":{}}"#));
        assert!(said(
            r#"{"id":"1","type":"subscribe","payload":{"query":"{a}","variables":null,"extensions":{"x":1}}}"#
        ));
        for bad in [
            r#"{"type":"dance"}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"id":"1","type":"subscribe"}"#,
            "[]",
            "x",
        ] {
            assert!(!said(bad), "{bad}");
        }
    }

    #[test]
    fn what_comes_with_a_ping_goes_back_as_it_came() {
        let hidden = r#"{"$serde_json::private::RawValue":"[0,0]"}"#;
        let text = format!(r#"{{"type":"ping","payload":{hidden}}}"#);
        let Some(Said::Ping { payload }) = Said::read(&text) else {
            panic!("a ping");
        };
        let expected = format!(r#"{{"type":"pong","payload":{hidden}}}"#);
        assert_eq!(pong(payload.as_deref()), Message::text(expected));
    }

    #[test]
    fn json_in_a_string_stays_a_string() {
        let text =
            r#"{"type":"connection_init","payload":{"$serde_json::private::RawValue":"[0,0]"}}"#;
        let Some(Said::ConnectionInit { payload }) = Said::read(text) else {
            panic!("a beginning");
        };
        assert!(matches!(payload, Some(async_graphql::Value::Object(_))));
    }
}
