//! Subscriptions as parts of one response, in Apollo's current form
//! (<https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol>).

use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};

use super::{event_stream::session_ended, lasting::Beat, operation::Told};
use crate::graphql::{Answer, Code, failure};

const KIND: &str = r#"multipart/mixed; boundary="graphql"; subscriptionSpec=1.0"#;

/// Stands before each part. It is written right behind the part before: a client takes a part for whole when it sees it.
const BOUNDARY: &[u8] = b"\r\n--graphql";
const END: &[u8] = b"--\r\n";

/// The parts of an operation.
pub(super) fn parts(
    beats: impl Stream<Item = Beat> + Send + 'static,
    knows_heartbeats: bool,
) -> Response {
    let begun = stream::once(async { Bytes::from_static(BOUNDARY) });
    let told = beats.filter_map(move |beat| std::future::ready(written(&beat, knows_heartbeats)));
    let body = begun.chain(told).map(Ok::<_, std::convert::Infallible>);
    ([(header::CONTENT_TYPE, KIND)], Body::from_stream(body)).into_response()
}

fn written(beat: &Beat, knows_heartbeats: bool) -> Option<Bytes> {
    Some(match beat {
        Beat::Told(Told::Next(response, _)) => part(&[b"{\"payload\":", response, b"}"], false),
        Beat::Told(Told::Only(response)) => part(&[b"{\"payload\":", response, b"}"], true),
        Beat::Told(Told::Error(errors)) => {
            part(&[b"{\"payload\":{\"errors\":", errors, b"}}"], true)
        }
        Beat::Told(Told::Complete) => Bytes::from_static(END),
        Beat::Alive => knows_heartbeats.then(|| part(&[b"{}"], false))?,
        Beat::SessionEnded => fatal(&session_ended()),
        Beat::Stopped => fatal(&Answer::rejection(vec![failure(
            Code::Unavailable,
            "the server is stopping; come back",
        )])),
    })
}

/// The transport failed, not the operation: there is no payload.
fn fatal(answer: &Answer) -> Bytes {
    let errors = answer.errors.as_deref().unwrap_or(b"[]");
    part(&[b"{\"payload\":null,\"errors\":", errors, b"}"], true)
}

fn part(json: &[&[u8]], is_last: bool) -> Bytes {
    let length: usize = json.iter().map(|part| part.len()).sum();
    let mut part = BytesMut::with_capacity(length + 64);
    part.put_slice(b"\r\ncontent-type: application/json\r\n\r\n");
    for piece in json {
        part.put_slice(piece);
    }
    part.put_slice(BOUNDARY);
    if is_last {
        part.put_slice(END);
    }
    part.freeze()
}
