//! What is asked, in an HTTP request: JSON that was posted, or the parameters of a GET.

use async_graphql::Request as Asked;
use async_graphql_axum::{GraphQLRequest, rejection::GraphQLRejection};
use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, Query, Request},
    http::{HeaderMap, Method, StatusCode, Uri, header},
};
use futures_util::StreamExt;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::timeout;

use crate::{
    graphql::{json_size, names_a_document},
    model::Limits,
};

/// Why a request is none.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }

    fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

/// What is wrong with a body that is no request.
const NO_REQUEST: &str = "the body must be one JSON object with a `query`";

/// What a request asks.
pub(super) async fn read(request: Request, limits: &Limits) -> Result<Asked, Refusal> {
    let asked = if request.method() == Method::GET {
        read_parameters(request.uri(), limits)?
    } else {
        let late = || Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time");
        let read = read_body(request, limits);
        timeout(limits.body_within, read)
            .await
            .unwrap_or_else(|_| Err(late()))?
    };
    if !names_a_document(&asked) {
        return Err(Refusal::bad("the request has no `query`"));
    }
    Ok(asked)
}

/// The library has a reader of parameters too; it does not know `operationName`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    #[serde(default)]
    query: String,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

pub(super) fn read_parameters(uri: &Uri, limits: &Limits) -> Result<Asked, Refusal> {
    fn json<T: DeserializeOwned + Default>(
        name: &str,
        text: Option<&str>,
        limits: &Limits,
    ) -> Result<T, Refusal> {
        let wrong = |error| Refusal::bad(format!("`{name}` must be a JSON object: {error}"));
        // What is left empty, as forms do, is left out.
        let text = text.filter(|text| !text.is_empty());
        check_marks(text.unwrap_or_default().as_bytes(), limits)?;
        Ok(text
            .map(serde_json::from_str::<Option<T>>)
            .transpose()
            .map_err(wrong)?
            .flatten()
            .unwrap_or_default())
    }
    let Query(asked) = Query::<Parameters>::try_from_uri(uri)
        .map_err(|error| Refusal::bad(format!("the parameters make no sense: {error}")))?;
    let mut request = Asked::new(asked.query);
    request.operation_name = asked.operation_name.filter(|name| !name.is_empty());
    request.variables = json("variables", asked.variables.as_deref(), limits)?;
    request.extensions = json("extensions", asked.extensions.as_deref(), limits)?;
    Ok(request)
}

/// Refuses JSON that would be much once it is read.
fn check_marks(text: &[u8], limits: &Limits) -> Result<(), Refusal> {
    let max = limits.json_marks_max;
    if json_size(text).marks > max {
        let message = format!("the request holds more than {max} values");
        return Err(Refusal::bad(message));
    }
    Ok(())
}

async fn read_body(request: Request, limits: &Limits) -> Result<Asked, Refusal> {
    if !is_json(request.headers()) {
        // Other types can be sent across sites without asking first.
        let message = "the content type must be application/json";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        // A few bytes can stand for gigabytes.
        let message = "the body must not be compressed";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let (parts, body) = request.into_parts();
    // The extractor below takes a body of any length, so it gets one that is known to be short.
    let bytes = collect(body, limits.body_bytes_max).await?;
    check_marks(&bytes, limits)?;
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        // A list would be a batch, whose cost is nobody's limit.
        return Err(Refusal::bad(NO_REQUEST));
    }
    let request = Request::from_parts(parts, Body::from(bytes));
    let request = GraphQLRequest::<GraphQLRejection>::from_request(request, &())
        .await
        .map_err(|GraphQLRejection(error)| Refusal::bad(error.to_string()))?;
    Ok(request.into_inner())
}

/// Pieces that a body may come in, besides one for each so many bytes: a piece of one byte costs as much as a long one.
const PIECES_MAX: usize = 1_000;
const PIECE_BYTES: usize = 64;

/// The whole body, if it is short enough and comes to its end.
async fn collect(body: Body, bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    let too_large = || {
        let message = format!("the body must have at most {bytes_max} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    let (mut bytes, mut pieces) = (Vec::new(), 0);
    let mut data = body.into_data_stream();
    while let Some(piece) = data.next().await {
        let piece = piece.map_err(|_| Refusal::bad("the body did not come to its end"))?;
        if bytes.len() + piece.len() > bytes_max {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
        pieces += 1;
        if pieces > PIECES_MAX + bytes.len() / PIECE_BYTES {
            return Err(Refusal::bad("the body comes in too many pieces"));
        }
    }
    Ok(bytes)
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
