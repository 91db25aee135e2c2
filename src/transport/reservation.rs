//! graphql-sse's single connection mode: `PUT` reserves an event stream, `GET` opens it, `POST` begins operations on it,
//! `DELETE` ends one. For browsers, which open only six connections to a server.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_graphql::Value;
use axum::{
    extract::{Query, Request, State},
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tokio::{sync::mpsc, time::Instant};

use super::{
    Edge, Reply, Shared,
    guest::Guest,
    http::Caller,
    operation::{self, Begin, Told},
    request::{self, Refusal},
    shared_stream::{self, Order},
};
use crate::{chat::Viewer, graphql::Code};

const TOKEN: HeaderName = HeaderName::from_static("x-graphql-event-stream-token");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    token: Option<String>,
    operation_id: Option<String>,
}

impl Parameters {
    fn of(request: &Request) -> Option<Self> {
        Some(Query::try_from_uri(request.uri()).ok()?.0)
    }
}

/// The secret of an event stream that a request is about, from its header or its parameters.
pub(super) fn token(request: &Request) -> Option<String> {
    let named = request.headers().get(TOKEN);
    match named {
        Some(token) => Some(token.to_str().unwrap_or_default().to_owned()),
        None => Parameters::of(request)?.token,
    }
}

/// An event stream for several operations.
struct Reservation {
    viewer: Option<Viewer>,
    since: Instant,
    orders: mpsc::Sender<Order>,
    running: Running,
    /// What the stream is made of, until it is opened.
    waiting: Mutex<Option<(Guest, mpsc::Receiver<Order>)>>,
}

/// Names of operations that run on one stream.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashSet<String>>>);

impl Running {
    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn remove(&self, id: &str) -> bool {
        self.lock().remove(id)
    }
}

/// All that are reserved or open.
#[derive(Clone, Default)]
pub(super) struct Reservations(Arc<Mutex<HashMap<String, Arc<Reservation>>>>);

/// Takes a reservation away when its stream ends.
pub(super) struct Entry {
    token: String,
    reservations: Reservations,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.reservations.lock().remove(&self.token);
    }
}

impl Reservations {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Reservation>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps one, unless too many wait; those whose client did not come are forgotten first.
    fn keep(&self, token: &str, reservation: Reservation, edge: &Edge) -> bool {
        let limits = edge.api.chat().limits();
        let is_waiting = |reservation: &Reservation| {
            let waiting = reservation.waiting.lock();
            waiting.unwrap_or_else(PoisonError::into_inner).is_some()
        };
        let mut kept = self.lock();
        kept.retain(|_, old| old.since.elapsed() < limits.reservation_within || !is_waiting(old));
        let waiting = kept.values().filter(|old| is_waiting(old)).count();
        if waiting >= limits.reservations_max {
            return false;
        }
        kept.insert(token.to_owned(), Arc::new(reservation));
        true
    }
}

/// Reserves an event stream; its secret is the body.
pub(super) async fn put(State(edge): Shared, request: Request) -> Reply {
    let caller = Caller::of(&edge, &request);
    if edge.stop.is_cancelled() {
        return caller.refuse_while_stopping();
    }
    let guest = match Guest::admit(&edge, caller.token.as_ref()).await {
        Ok(guest) => guest,
        Err(unwelcome) => return caller.refuse_guest(&unwelcome),
    };
    let secret = edge.api.chat().new_token();
    let token = secret.reveal();
    // A word to begin and a word to end each that may run.
    let capacity = 2 * edge.api.chat().limits().socket_operations_max;
    let (orders, ordered) = mpsc::channel(capacity);
    let reservation = Reservation {
        viewer: guest.viewer(),
        since: Instant::now(),
        orders,
        running: Running::default(),
        waiting: Mutex::new(Some((guest, ordered))),
    };
    if !edge.reservations.keep(token, reservation, &edge) {
        let message = "too many event streams wait for their clients; try again";
        return caller.refuse(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message);
    }
    (StatusCode::CREATED, token.to_owned()).into_response()
}

/// The reservation with this secret, if the same person asks who made it.
async fn find(edge: &Edge, caller: &Caller, token: &str) -> Result<Arc<Reservation>, Response> {
    let found = edge.reservations.lock().get(token).cloned();
    let viewer = match &caller.token {
        None => None,
        // A failed look-up is nobody: the reservation of somebody is not found then, and its client tries again.
        Some(token) => edge.api.chat().authenticate(token).await.ok().flatten(),
    };
    found
        .filter(|reservation| reservation.viewer == viewer)
        .ok_or_else(|| {
            let message = "there is no such event stream; PUT reserves one";
            caller.refuse(StatusCode::NOT_FOUND, Code::BadUserInput, message)
        })
}

/// Opens a reserved event stream.
pub(super) async fn listen(edge: &Edge, caller: &Caller, token: &str) -> Response {
    let reservation = match find(edge, caller, token).await {
        Ok(reservation) => reservation,
        Err(refused) => return refused,
    };
    let waiting = {
        let mut waiting = reservation.waiting.lock();
        waiting.as_mut().map_or_else(
            |poisoned| poisoned.get_mut().take(),
            |waiting| waiting.take(),
        )
    };
    let Some((guest, orders)) = waiting else {
        let message = "this event stream is open already";
        return caller.refuse(StatusCode::CONFLICT, Code::BadUserInput, message);
    };
    let entry = Entry {
        token: token.to_owned(),
        reservations: edge.reservations.clone(),
    };
    shared_stream::open(edge, guest, orders, reservation.running.clone(), entry)
}

/// Begins an operation on an event stream.
pub(super) async fn post(edge: &Edge, request: Request, token: &str) -> Response {
    let caller = Caller::of(edge, &request);
    let reservation = match find(edge, &caller, token).await {
        Ok(reservation) => reservation,
        Err(refused) => return refused,
    };
    let asked = match request::read(request, edge.api.chat().limits()).await {
        Ok(asked) => asked,
        Err(refusal) => return caller.refuse_request(&refusal),
    };
    let Some(Value::String(id)) = asked.extensions.get("operationId").cloned() else {
        let message = "`extensions.operationId` must name the operation";
        return caller.refuse_request(&Refusal::new(StatusCode::BAD_REQUEST, message));
    };
    let max = edge.api.chat().limits().socket_operations_max;
    if let Err((status, code, message)) = reservation.running.begin(&id, max) {
        return caller.refuse(status, code, &message);
    }
    let telling = match edge.api.prepare(asked) {
        Ok(operation) => operation::run(Begin {
            api: Arc::clone(&edge.api),
            operation,
            asker: caller.asker(reservation.viewer),
            request_id: caller.request_id.clone(),
            with_places: false,
        }),
        Err(answer) => shared_stream::refusal(Told::refusal(answer)),
    };
    order(
        &caller,
        &reservation,
        Order::Begin(id, telling),
        StatusCode::ACCEPTED,
    )
}

impl Running {
    fn begin(&self, id: &str, max: usize) -> Result<(), (StatusCode, Code, String)> {
        let mut running = self.lock();
        if running.contains(id) {
            let message = format!("an operation with the id {id:?} runs already");
            return Err((StatusCode::CONFLICT, Code::BadUserInput, message));
        }
        if running.len() >= max {
            let message = format!("an event stream runs at most {max} operations at one time");
            return Err((StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message));
        }
        running.insert(id.to_owned());
        Ok(())
    }
}

/// Ends an operation on an event stream.
pub(super) async fn delete(State(edge): Shared, request: Request) -> Reply {
    let caller = Caller::of(&edge, &request);
    let id = Parameters::of(&request).and_then(|parameters| parameters.operation_id);
    let (Some(token), Some(id)) = (token(&request), id) else {
        let message = "DELETE needs the token of an event stream and the parameter `operationId`";
        return caller.refuse_request(&Refusal::new(StatusCode::BAD_REQUEST, message));
    };
    match find(&edge, &caller, &token).await {
        Ok(reservation) => order(&caller, &reservation, Order::End(id), StatusCode::OK),
        Err(refused) => refused,
    }
}

fn order(caller: &Caller, reservation: &Reservation, order: Order, status: StatusCode) -> Response {
    let id = match &order {
        Order::Begin(id, _) => Some(id.clone()),
        Order::End(_) => None,
    };
    if reservation.orders.try_send(order).is_ok() {
        return status.into_response();
    }
    if let Some(id) = id {
        reservation.running.remove(&id);
    }
    let message = "the client of this event stream does not read what it is told";
    caller.refuse(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message)
}
