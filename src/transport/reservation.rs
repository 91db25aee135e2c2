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
use tokio::sync::{mpsc, mpsc::error::TrySendError};

use super::{
    Edge, Reply, Shared,
    guest::Guest,
    http::Caller,
    operation::{self, Begin, Told},
    request::{self, Refusal},
    shared_stream::{self, Order},
    socket::ID_BYTES_MAX,
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
    orders: mpsc::Sender<Order>,
    running: Running,
    /// What the stream is made of, until it is opened.
    waiting: Mutex<Option<(Guest, mpsc::Receiver<Order>)>>,
}

impl Reservation {
    fn is_waiting(&self) -> bool {
        let waiting = self.waiting.lock();
        waiting.unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// Names of operations that run on one stream.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashSet<String>>>);

impl Running {
    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, id: &str) -> bool {
        self.lock().contains(id)
    }

    pub(super) fn remove(&self, id: &str) -> bool {
        self.lock().remove(id)
    }

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

    /// Keeps one until its client comes, but not for long. Unless too many of nobody wait: those of a user are bounded by
    /// what a user may have.
    fn keep(&self, token: &str, reservation: Reservation, edge: &Edge) -> bool {
        let limits = edge.api.chat().limits();
        let of_nobody =
            |reservation: &Reservation| reservation.viewer.is_none() && reservation.is_waiting();
        let mut kept = self.lock();
        let waiting = kept.values().filter(|other| of_nobody(other)).count();
        if of_nobody(&reservation) && waiting >= limits.reservations_max {
            return false;
        }
        kept.insert(token.to_owned(), Arc::new(reservation));
        let (reservations, token, within) =
            (self.clone(), token.to_owned(), limits.reservation_within);
        let stop = edge.stop.clone();
        edge.open.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(within) => {}
            }
            let mut kept = reservations.lock();
            if kept.get(&token).is_some_and(|kept| kept.is_waiting()) {
                kept.remove(&token);
            }
        });
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

fn is_id(id: &Value) -> bool {
    matches!(id, Value::String(id) if id.len() <= ID_BYTES_MAX)
}

/// Begins an operation on an event stream.
pub(super) async fn post(edge: &Edge, request: Request, token: &str) -> Response {
    let caller = Caller::of(edge, &request);
    let reservation = match find(edge, &caller, token).await {
        Ok(reservation) => reservation,
        Err(refused) => return refused,
    };
    if reservation.is_waiting() {
        // What waits for a stream that nobody reads would be kept for nobody.
        let message = "open the event stream first, by GET";
        return caller.refuse(StatusCode::CONFLICT, Code::BadUserInput, message);
    }
    let asked = match request::read(request, edge.api.chat().limits()).await {
        Ok(asked) => asked,
        Err(refusal) => return caller.refuse_request(&refusal),
    };
    let id = asked.extensions.get("operationId").cloned();
    let Some(Value::String(id)) = id.filter(is_id) else {
        let message = format!(
            "`extensions.operationId` must name the operation, in at most {ID_BYTES_MAX} bytes"
        );
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
    let begins = match &order {
        Order::Begin(id, _) => Some(id.clone()),
        // There is nothing to end, or it has ended.
        Order::End(id) if !reservation.running.has(id) => return status.into_response(),
        Order::End(_) => None,
    };
    let Err(error) = reservation.orders.try_send(order) else {
        return status.into_response();
    };
    if let Some(id) = begins {
        reservation.running.remove(&id);
    }
    match error {
        TrySendError::Closed(_) => {
            let message = "the event stream has ended";
            caller.refuse(StatusCode::NOT_FOUND, Code::BadUserInput, message)
        }
        TrySendError::Full(_) => {
            let message = "the client of this event stream does not read what it is told";
            caller.refuse(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message)
        }
    }
}
