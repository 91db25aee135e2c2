//! GraphQL over HTTP: a POST with JSON in, JSON out.

use async_graphql_axum::{GraphQLRequest, rejection::GraphQLRejection};
use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use tokio::time::timeout;

use super::{Reply, Shared, auth};
use crate::{
    chat,
    graphql::{Answer, Asker, Code, Kind, failure},
};

/// Media type of a response whose status says how it went.
const GRAPHQL_JSON: &str = "application/graphql-response+json; charset=utf-8";
/// Media type of a response that has to be read to know.
const JSON: &str = "application/json; charset=utf-8";

/// What is wrong with a body that is no request.
const NO_REQUEST: &str = "the body must be one JSON object with a `query`";

/// Runs one query or mutation.
pub(super) async fn post(State(edge): Shared, request: Request) -> Reply {
    let accept = Accept::of(request.headers());
    let heads = edge.api.chat().heads();
    if edge.stop.is_cancelled() {
        let stopping = failure(Code::Unavailable, "the server is stopping; try again");
        return accept.respond(
            StatusCode::SERVICE_UNAVAILABLE,
            &Answer::rejection(vec![stopping]),
        );
    }
    // The body first: who asks is looked up when all that they ask is here, not while it may still take its time.
    let token = auth::from_headers(request.headers());
    let limits = edge.api.chat().limits();
    let read = timeout(limits.body_within, read(request, limits.body_bytes_max));
    let late = || {
        (
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive in time".to_owned(),
        )
    };
    let parsed = match read.await.unwrap_or_else(|_| Err(late())) {
        Ok(parsed) => parsed,
        Err((status, message)) => {
            let answer = Answer::rejection(vec![failure(Code::BadUserInput, message)]);
            return accept.respond(status, &answer);
        }
    };
    let viewer = match token {
        None => None,
        Some(token) => match edge.api.chat().authenticate(&token).await {
            Ok(Some(viewer)) => Some(viewer),
            Ok(None) => return unauthenticated(accept),
            Err(error) => return unavailable(accept, &error),
        },
    };
    let operation = match edge.api.prepare(parsed) {
        Ok(operation) if operation.kind == Kind::Subscription => {
            let hint = "subscribe over a WebSocket with the sub-protocol graphql-transport-ws";
            return accept.answer(&Answer::rejection(vec![failure(Code::QueryRejected, hint)]));
        }
        Ok(operation) => operation,
        Err(answer) => return accept.answer(&answer),
    };
    accept.answer(
        &edge
            .api
            .execute(operation, Asker::new(viewer, heads), &edge.request_id())
            .await,
    )
}

fn unauthenticated(accept: Accept) -> Response {
    let failure = failure(
        Code::Unauthenticated,
        "the token is not valid, or not any more",
    );
    let mut reply = accept.respond(StatusCode::UNAUTHORIZED, &Answer::rejection(vec![failure]));
    let bearer = header::HeaderValue::from_static("Bearer");
    reply.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
    reply
}

fn unavailable(accept: Accept, error: &chat::Error) -> Response {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "a token could not be looked up"
    );
    let failure = failure(
        Code::Unavailable,
        "the server cannot look up your session now; try again",
    );
    accept.respond(
        StatusCode::SERVICE_UNAVAILABLE,
        &Answer::rejection(vec![failure]),
    )
}

/// The GraphQL request in an HTTP request, or why there is none.
async fn read(
    request: Request,
    bytes_max: usize,
) -> Result<async_graphql::Request, (StatusCode, String)> {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        // Other types can be sent across sites without asking first.
        let message = "the content type must be application/json";
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, message.to_owned()));
    }
    let (parts, body) = request.into_parts();
    let too_large = |_| {
        (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body must have at most {bytes_max} bytes"),
        )
    };
    // The extractor below takes a body of any length, so it gets one that is known to be short.
    let bytes = to_bytes(body, bytes_max).await.map_err(too_large)?;
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        // A list would be a batch, whose cost is nobody's limit.
        return Err((StatusCode::BAD_REQUEST, NO_REQUEST.to_owned()));
    }
    let request = Request::from_parts(parts, Body::from(bytes));
    let request = GraphQLRequest::<GraphQLRejection>::from_request(request, &())
        .await
        .map_err(|GraphQLRejection(error)| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let request = request.into_inner();
    if request.query.is_empty() {
        return Err((StatusCode::BAD_REQUEST, NO_REQUEST.to_owned()));
    }
    Ok(request)
}

/// In which of the two media types a client wants its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Accept {
    GraphqlJson,
    Json,
}

impl Accept {
    fn of(headers: &HeaderMap) -> Self {
        let accept = headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let place = |kind: &str| {
            accept
                .split(',')
                .position(|offer| offer.trim().starts_with(kind))
        };
        match (
            place("application/graphql-response+json"),
            place("application/json"),
        ) {
            (Some(graphql), Some(json)) if graphql < json => Self::GraphqlJson,
            (Some(_), None) => Self::GraphqlJson,
            _ => Self::Json,
        }
    }

    fn answer(self, answer: &Answer) -> Response {
        let status = if answer.is_rejection && self == Self::GraphqlJson {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::OK
        };
        self.respond(status, answer)
    }

    fn respond(self, status: StatusCode, answer: &Answer) -> Response {
        let kind = if self == Self::GraphqlJson {
            GRAPHQL_JSON
        } else {
            JSON
        };
        let headers = [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "no-store"),
        ];
        (status, headers, answer.bytes.clone()).into_response()
    }
}
