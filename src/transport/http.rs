//! GraphQL over HTTP (<https://graphql.github.io/graphql-over-http/draft/>): a POST with JSON or a GET with parameters in,
//! JSON out; event streams and parts for who subscribes.

use std::net::IpAddr;

use axum::{
    extract::{
        Request, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Edge, Reply, Shared,
    accept::{Accept, Lasting, Single},
    auth, event_stream,
    guest::{Guest, Unwelcome},
    lasting, multipart,
    operation::{self, Begin},
    peer::{Peer, RequestId},
    request::{self, Refusal},
    reservation, socket,
};
use crate::{
    chat::Viewer,
    graphql::{Answer, Asker, Code, Kind, Operation, failure, failure_for_now},
    model::{Heads, Token},
};

/// Media type of a response whose status says how it went.
const GRAPHQL_JSON: &str = "application/graphql-response+json; charset=utf-8";
/// Media type of a response that has to be read to know.
const JSON: &str = "application/json; charset=utf-8";

/// A socket, an event stream that was reserved, or a query in the address.
pub(super) async fn get(
    State(edge): Shared,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Reply {
    if let Ok(upgrade) = upgrade {
        return socket::upgrade(edge, upgrade, &request);
    }
    if request.method() == Method::HEAD {
        // The router takes it for a GET; to answer it would be to run what is asked, and to use a reservation up.
        let allow = [(header::ALLOW, "GET, POST, PUT, DELETE")];
        return (StatusCode::METHOD_NOT_ALLOWED, allow).into_response();
    }
    match reservation::token(&request) {
        Some(token) => reservation::listen(&edge, &Caller::of(&edge, &request), &token).await,
        None => run(&edge, request).await,
    }
}

/// An operation, alone or on an event stream that was reserved.
pub(super) async fn post(State(edge): Shared, request: Request) -> Reply {
    match reservation::token(&request) {
        Some(token) => reservation::post(&edge, request, &token).await,
        None => run(&edge, request).await,
    }
}

/// Who asks, and in which form they want to be answered.
pub(super) struct Caller {
    pub(super) accept: Accept,
    pub(super) token: Option<Token>,
    pub(super) address: IpAddr,
    pub(super) request_id: String,
    /// Where the log stood when they asked.
    pub(super) heads: Heads,
    is_get: bool,
    place: Option<String>,
}

impl Caller {
    pub(super) fn of(edge: &Edge, request: &Request) -> Self {
        let headers = request.headers();
        Self {
            accept: Accept::of(headers),
            token: auth::from_headers(headers),
            address: Peer::address(request, &edge.doors.proxies),
            request_id: RequestId::of(request),
            heads: edge.api.chat().heads(),
            is_get: request.method() == Method::GET,
            place: event_stream::last_event_id(headers),
        }
    }

    pub(super) fn asker(&self, viewer: Option<Viewer>) -> Asker {
        let heads = std::sync::Arc::clone(&self.heads);
        Asker::new(viewer, heads)
            .at(self.address)
            .behind(self.place.clone())
    }

    /// An answer that says why there is none.
    pub(super) fn refuse(&self, status: StatusCode, code: Code, message: &str) -> Response {
        let later = matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        let failure = if later { failure_for_now } else { failure };
        let answer = Answer::rejection(vec![failure(code, message)]);
        let mut reply = respond(self.accept.refusal(), status, &answer);
        if later {
            let second = HeaderValue::from_static("1");
            reply.headers_mut().insert(header::RETRY_AFTER, second);
        }
        reply
    }

    pub(super) fn refuse_request(&self, refusal: &Refusal) -> Response {
        self.refuse(refusal.status, Code::BadUserInput, &refusal.message)
    }

    pub(super) fn refuse_guest(&self, unwelcome: &Unwelcome) -> Response {
        match unwelcome {
            Unwelcome::NoSession => {
                let message = "the token is not valid, or not any more";
                let mut reply =
                    self.refuse(StatusCode::UNAUTHORIZED, Code::Unauthenticated, message);
                let bearer = HeaderValue::from_static("Bearer");
                reply.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
                reply
            }
            Unwelcome::TooMany => {
                let message = "this user has too many connections; close one";
                self.refuse(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message)
            }
            Unwelcome::Failed => {
                let message = "the server cannot look up your session now; try again";
                self.refuse(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
            }
        }
    }

    pub(super) fn refuse_while_stopping(&self) -> Response {
        let message = "the server is stopping; try again";
        self.refuse(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
    }
}

async fn run(edge: &Edge, request: Request) -> Response {
    let caller = Caller::of(edge, &request);
    if edge.stop.is_cancelled() {
        return caller.refuse_while_stopping();
    }
    // The body first: who asks is looked up when all that they ask is here, not while it may still take its time.
    let asked = match request::read(request, edge.api.chat().limits()).await {
        Ok(asked) => asked,
        Err(refusal) => return caller.refuse_request(&refusal),
    };
    match edge.api.prepare(asked) {
        Ok(operation) if operation.kind == Kind::Subscription => {
            subscribe(edge, &caller, operation).await
        }
        Ok(operation) => execute(edge, &caller, operation).await,
        Err(answer) => respond_in(caller.accept.refusal(), &answer),
    }
}

async fn execute(edge: &Edge, caller: &Caller, operation: Operation) -> Response {
    if caller.is_get && operation.kind == Kind::Mutation {
        let message = "a mutation must be posted";
        let mut reply = caller.refuse(StatusCode::METHOD_NOT_ALLOWED, Code::QueryRejected, message);
        let post = HeaderValue::from_static("POST");
        reply.headers_mut().insert(header::ALLOW, post);
        return reply;
    }
    let Some(form) = caller.accept.single() else {
        let message =
            "accept application/json, application/graphql-response+json or text/event-stream";
        return caller.refuse(StatusCode::NOT_ACCEPTABLE, Code::BadUserInput, message);
    };
    let chat = edge.api.chat();
    let viewer = match &caller.token {
        None => None,
        Some(token) => match chat.authenticate(token).await {
            Ok(Some(viewer)) => Some(viewer),
            Ok(None) => return caller.refuse_guest(&Unwelcome::NoSession),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a token could not be looked up");
                return caller.refuse_guest(&Unwelcome::Failed);
            }
        },
    };
    let answer = edge
        .api
        .execute(operation, caller.asker(viewer), &caller.request_id)
        .await;
    respond_in(form, &answer)
}

async fn subscribe(edge: &Edge, caller: &Caller, operation: Operation) -> Response {
    let Some(form) = caller.accept.lasting() else {
        let message = "subscribe over a WebSocket with the sub-protocol graphql-transport-ws, or accept \
            text/event-stream or multipart/mixed;subscriptionSpec=1.0";
        return caller.refuse(StatusCode::NOT_ACCEPTABLE, Code::QueryRejected, message);
    };
    let guest = match Guest::admit(edge, caller.token.as_ref()).await {
        Ok(guest) => guest,
        Err(unwelcome) => return caller.refuse_guest(&unwelcome),
    };
    let telling = operation::run(Begin {
        api: std::sync::Arc::clone(&edge.api),
        operation,
        asker: caller.asker(guest.viewer()),
        request_id: caller.request_id.clone(),
        with_places: form == Lasting::EventStream,
    });
    let beats = lasting::beats(edge, guest, telling);
    match form {
        Lasting::EventStream => event_stream::events(beats),
        Lasting::Multipart { knows_heartbeats } => multipart::parts(beats, knows_heartbeats),
    }
}

fn respond_in(form: Single, answer: &Answer) -> Response {
    let status = match answer.fault {
        _ if form != Single::GraphqlJson || !answer.is_rejection => StatusCode::OK,
        Some(Code::Timeout) => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_REQUEST,
    };
    respond(form, status, answer)
}

fn respond(form: Single, status: StatusCode, answer: &Answer) -> Response {
    let kind = match form {
        Single::GraphqlJson => GRAPHQL_JSON,
        // An event stream begins well or not at all.
        Single::EventStream if status == StatusCode::OK => return event_stream::single(answer),
        Single::Json | Single::EventStream => JSON,
    };
    let headers = [(header::CONTENT_TYPE, kind)];
    (status, headers, answer.bytes.clone()).into_response()
}
