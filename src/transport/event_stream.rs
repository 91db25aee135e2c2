//! Server-sent events as graphql-sse has them (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>): `next`
//! and `complete`. Our addition: `id:` is the place behind which a client goes on with `Last-Event-ID`.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};

use super::{lasting::Beat, operation::Told};
use crate::graphql::{Answer, Code, failure};

/// A comment: nothing to a client, proof of life to everything between.
pub(super) const ALIVE: Bytes = Bytes::from_static(b":\n\n");

/// The name of the header by which a browser's `EventSource` comes back.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Behind what a client goes on, if it says so.
pub(super) fn last_event_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(LAST_EVENT_ID)?.to_str().ok()?;
    (!id.is_empty()).then(|| id.to_owned())
}

/// The response around a stream of events.
pub(super) fn response(events: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    // Some browsers take a response for begun only when they have a byte of it.
    let begun = stream::once(async { ALIVE });
    let body = begun.chain(events).map(Ok::<_, std::convert::Infallible>);
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream; charset=utf-8"),
        ),
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ];
    (headers, Body::from_stream(body)).into_response()
}

/// A stream that has one result, or says why there is none.
pub(super) fn single(answer: &Answer) -> Response {
    let events = [next(None, &[&answer.bytes]), complete(&[])];
    response(stream::iter(events))
}

/// The events of an operation that has a response of its own.
pub(super) fn events(beats: impl Stream<Item = Beat> + Send + 'static) -> Response {
    response(beats.flat_map(|beat| stream::iter(written(beat))))
}

fn written(beat: Beat) -> Vec<Bytes> {
    match beat {
        Beat::Told(told) => told_as_events(&told),
        Beat::Alive => vec![ALIVE],
        Beat::SessionEnded => vec![next(None, &[&session_ended().bytes]), complete(&[])],
        // Without `complete` the client takes it for a break, and comes back.
        Beat::Stopped => Vec::new(),
    }
}

fn told_as_events(told: &Told) -> Vec<Bytes> {
    match told {
        Told::Next(response, place) => vec![next(place.as_deref(), &[response])],
        Told::Only(response) => vec![next(None, &[response]), complete(&[])],
        Told::Error(errors) => vec![next(None, &[b"{\"errors\":", errors, b"}"]), complete(&[])],
        Told::Complete => vec![complete(&[])],
    }
}

/// What who listens is told when their session has ended.
pub(super) fn session_ended() -> Answer {
    Answer::rejection(vec![failure(
        Code::Unauthenticated,
        "the session has ended",
    )])
}

/// A result, in parts of JSON that make one line.
pub(super) fn next(id: Option<&str>, data: &[&[u8]]) -> Bytes {
    event("next", id, data)
}

/// The end of an operation.
pub(super) fn complete(data: &[&[u8]]) -> Bytes {
    event("complete", None, data)
}

fn event(kind: &str, id: Option<&str>, data: &[&[u8]]) -> Bytes {
    let length: usize = data.iter().map(|part| part.len()).sum();
    let mut event = BytesMut::with_capacity(length + 64);
    event.put_slice(b"event: ");
    event.put_slice(kind.as_bytes());
    if let Some(id) = id {
        event.put_slice(b"\nid: ");
        event.put_slice(id.as_bytes());
    }
    // An event without a line of data is dropped by browsers.
    event.put_slice(b"\ndata: ");
    for part in data {
        event.put_slice(part);
    }
    event.put_slice(b"\n\n");
    event.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_its_kind_its_place_and_one_line_of_data() {
        let event = next(Some("7"), &[b"{\"errors\":", b"[]", b"}"]);
        assert_eq!(
            event,
            "event: next\nid: 7\ndata: {\"errors\":[]}\n\n".as_bytes()
        );
        assert_eq!(complete(&[]), "event: complete\ndata: \n\n".as_bytes());
    }
}
