//! A WebSocket: one task that reads what the client says, runs its operations and writes what they tell.
//!
//! There is no queue for what goes out. Operations are streams that are read only when the socket takes more, so a slow
//! client slows down nothing but itself; what it misses meanwhile it reads from the log.

use std::{
    future::poll_fn,
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll},
};

use axum::extract::{
    Request,
    ws::{Message, WebSocketUpgrade},
};
use futures_util::{
    StreamExt,
    future::poll_immediate,
    stream::{BoxStream, Stream},
};
use tokio::time::{Instant, timeout};
use tokio_stream::StreamMap;

use super::{
    Edge, Reply, auth,
    bell::Bell,
    guest::{Guest, Unwelcome},
    http::Caller,
    operation::{self, Begin, Told},
    peer::Peer,
    protocol::{self, Close, OperationId, Said},
    seldom::{Rare, Seldom},
    wire::{Allowance, Next, Wire},
};
use crate::{
    graphql::{Answer, Asker, Code, Kind, failure_for_now, json_size, names_a_document},
    model::{Limits, Token},
};

/// Longest name of an operation; each is kept as long as its operation runs.
pub(super) const ID_BYTES_MAX: usize = 256;

/// Lists and objects within each other in a message: as many as its reader takes. It skips what it does not know, however
/// deep that is.
const NESTING_MAX: usize = 128;

/// Turns a GET into a socket.
pub(super) fn upgrade(edge: Edge, upgrade: WebSocketUpgrade, request: &Request) -> Reply {
    if edge.stop.is_cancelled() {
        return Caller::of(&edge, request).refuse_while_stopping();
    }
    let limits = edge.api.chat().limits();
    let (bytes_max, patience) = (limits.body_bytes_max, limits.socket_write_within);
    let write_max = limits.write_bytes_max;
    let token = auth::from_headers(request.headers());
    let address = Peer::address(request, &edge.doors.proxies);
    // Both are let go with the socket: the server waits for it when it stops, and it counts as a connection.
    let held = (
        edge.open.token(),
        request.extensions().get::<Peer>().cloned(),
    );
    upgrade
        .protocols([protocol::NAME])
        .max_message_size(bytes_max)
        .max_frame_size(bytes_max)
        // The defaults are 128 KiB each, taken at once: most of what an idle socket would cost.
        .read_buffer_size(2 * 1024)
        .write_buffer_size(4 * 1024)
        .on_upgrade(move |ws| async move {
            let _held = held;
            let wire = Wire::new(ws, edge.stop.clone(), patience, write_max);
            Socket::new(edge, wire, token, address).serve().await;
        })
}

/// Who is at the other end.
enum Who {
    /// Before `connection_init`; with the token of the upgrade's own headers, which counts when that has none.
    Unknown(Option<Token>),
    Known(Guest),
}

type Telling = (OperationId, Told);

/// What a socket's task wakes for.
enum Happened {
    Seldom(Rare),
    Heard(Option<Result<Message, axum::Error>>),
    Told(Telling),
}

struct Socket {
    edge: Edge,
    wire: Wire,
    address: IpAddr,
    who: Who,
    operations: StreamMap<OperationId, Running>,
    heard_at: Instant,
    allowance: Allowance,
    seldom: Seldom,
    /// Whether the client is asked before the operations: they take turns.
    is_client_first: bool,
}

/// An operation, as a stream of what it tells.
struct Running {
    telling: BoxStream<'static, Told>,
    bell: Bell,
    is_subscription: bool,
    is_over: bool,
}

impl Stream for Running {
    type Item = Told;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Told>> {
        let Self { telling, bell, .. } = &mut *self;
        let told = bell.poll(cx, |part| telling.poll_next_unpin(part));
        if let Poll::Ready(told) = &told {
            self.is_over = told.as_ref().is_none_or(Told::is_last);
        }
        told
    }
}

impl Socket {
    fn new(edge: Edge, wire: Wire, token: Option<Token>, address: IpAddr) -> Self {
        let limits = edge.api.chat().limits();
        let (allowance, seldom) = (
            Allowance::new(limits),
            Seldom::new(edge.stop.clone(), limits),
        );
        Self {
            seldom,
            is_client_first: true,
            edge,
            wire,
            address,
            allowance,
            who: Who::Unknown(token),
            operations: StreamMap::new(),
            heard_at: Instant::now(),
        }
    }

    fn limits(&self) -> &Limits {
        self.edge.api.chat().limits()
    }

    async fn serve(mut self) {
        let close = if self.wire.has_protocol() {
            self.talk().await
        } else {
            Some(Close::NoSubprotocol)
        };
        if let Some(close) = close {
            self.wire.close(close).await;
        }
    }

    /// Until somebody has had enough; says how to close, unless the client is gone.
    async fn talk(&mut self) -> Option<Close> {
        loop {
            // What is large and rare is in boxes: a socket has room for it as long as it lasts.
            let next = match self.happens().await {
                Happened::Told(telling) => self.tell(telling).await,
                Happened::Heard(message) => Box::pin(self.hear(message)).await,
                Happened::Seldom(rare) => Box::pin(self.meet(rare)).await,
            };
            match next {
                Next::GoOn => {}
                Next::Close(close) => return Some(close),
                Next::Gone => return None,
            }
        }
    }

    /// Waits for what happens next.
    async fn happens(&mut self) -> Happened {
        let Self {
            seldom,
            wire,
            operations,
            is_client_first,
            ..
        } = self;
        *is_client_first = !*is_client_first;
        poll_fn(|task| {
            if let Poll::Ready(rare) = seldom.poll(task) {
                return Poll::Ready(Happened::Seldom(rare));
            }
            for asks_client in [*is_client_first, !*is_client_first] {
                if asks_client {
                    if let Poll::Ready(message) = wire.poll_heard(task) {
                        return Poll::Ready(Happened::Heard(message));
                    }
                } else if let Poll::Ready(Some(told)) = operations.poll_next_unpin(task) {
                    return Poll::Ready(Happened::Told(told));
                }
            }
            Poll::Pending
        })
        .await
    }

    async fn meet(&mut self, rare: Rare) -> Next {
        match rare {
            Rare::Stop => {
                self.finish().await;
                Next::Close(Close::Restart)
            }
            Rare::End => {
                self.complete_all().await;
                Next::Close(Close::Forbidden)
            }
            Rare::InitTimeout => Next::Close(Close::InitTimeout),
            Rare::Tick => self.ping().await,
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Next {
        self.heard_at = Instant::now();
        if self.limits().rate_limits && !self.allowance.take(self.heard_at) {
            return Next::Close(Close::TooMuch);
        }
        match message {
            Some(Ok(Message::Text(text))) => {
                let size = json_size(text.as_bytes());
                if size.marks > self.limits().json_marks_max {
                    return Next::Close(Close::TooLarge);
                }
                let is_flat = size.nesting <= NESTING_MAX;
                match is_flat.then(|| Said::read(&text)).flatten() {
                    Some(said) => self.answer(said).await,
                    None => Next::Close(Close::BadMessage),
                }
            }
            Some(Ok(Message::Binary(_))) => Next::Close(Close::BadMessage),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Next::GoOn,
            Some(Err(error)) if error.to_string().contains("too long") => {
                Next::Close(Close::TooLarge)
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => Next::Gone,
        }
    }

    async fn answer(&mut self, said: Said) -> Next {
        match said {
            Said::ConnectionInit { payload } => match &mut self.who {
                Who::Known(_) => Next::Close(Close::SecondInit),
                Who::Unknown(token) => {
                    let token = auth::from_init(payload.as_ref()).or_else(|| token.take());
                    self.init(token).await
                }
            },
            Said::Ping { payload } => self.wire.write(protocol::pong(payload.as_deref())).await,
            Said::Pong => Next::GoOn,
            Said::Subscribe { id, .. } if id.len() > ID_BYTES_MAX => Next::Close(Close::BadMessage),
            Said::Subscribe { id, payload } => self.start(OperationId::new(&id), *payload).await,
            Said::Complete { id } => {
                self.operations.remove(&OperationId::new(&id));
                Next::GoOn
            }
        }
    }

    async fn init(&mut self, token: Option<Token>) -> Next {
        match Guest::admit(&self.edge, token.as_ref()).await {
            Ok(guest) => {
                self.seldom.know(guest.ended());
                self.who = Who::Known(guest);
                self.wire.write(Message::text(protocol::ACK)).await
            }
            Err(Unwelcome::NoSession) => Next::Close(Close::Forbidden),
            Err(Unwelcome::TooMany) => Next::Close(Close::TooMany),
            Err(Unwelcome::Failed) => Next::Close(Close::Failed),
        }
    }

    async fn start(&mut self, id: OperationId, request: async_graphql::Request) -> Next {
        let Who::Known(guest) = &self.who else {
            return Next::Close(Close::Unauthorized);
        };
        let viewer = guest.viewer();
        if !names_a_document(&request) {
            return Next::Close(Close::BadMessage);
        }
        if self.running().any(|(running, _)| *running == id) {
            return Next::Close(Close::DuplicateId);
        }
        // "Now", for what this begins, is before anything is read for it.
        let heads = self.edge.api.chat().heads();
        let max = self.limits().socket_operations_max;
        let prepared = if self.running().count() < max {
            self.edge.api.prepare(request)
        } else {
            let message = format!("a socket runs at most {max} operations at one time");
            Err(Answer::rejection(vec![failure_for_now(
                Code::RateLimited,
                message,
            )]))
        };
        let operation = match prepared {
            Ok(operation) => operation,
            Err(answer) => {
                let (frame, _) = protocol::frames(&Told::refusal(answer), &id);
                return self.wire.write(frame).await;
            }
        };
        let is_subscription = operation.kind == Kind::Subscription;
        let begin = Begin {
            api: std::sync::Arc::clone(&self.edge.api),
            operation,
            asker: Asker::new(viewer, heads).at(self.address),
            request_id: self.edge.request_id(),
            with_places: false,
        };
        let running = Running {
            telling: operation::run(begin),
            bell: Bell::new(),
            is_subscription,
            is_over: false,
        };
        self.operations.insert(id, running);
        Next::GoOn
    }

    /// Writes what an operation tells, and whatever else is ready, in one go.
    async fn tell(&mut self, telling: Telling) -> Next {
        let frames = |(id, told): Telling| protocol::frames(&told, &id);
        let operations = &mut self.operations;
        self.wire.write_all(telling, operations, frames).await
    }

    async fn ping(&mut self) -> Next {
        if self.heard_at.elapsed() >= self.limits().socket_dead_after {
            // What it said may lie there unread, as after a pause of the whole machine.
            let said = poll_fn(|task| self.wire.poll_heard(task));
            let Some(message) = poll_immediate(said).await else {
                return Next::Gone;
            };
            return self.hear(message).await;
        }
        if let Who::Known(guest) = &mut self.who {
            guest.stays();
        }
        self.wire.write(Message::Ping(bytes::Bytes::new())).await
    }

    /// The session has ended: what was begun to be written is told, then every stream is over.
    async fn complete_all(&mut self) {
        let mut ids = self.finish().await;
        ids.extend(self.running().map(|(id, _)| id.clone()));
        let patience = self.limits().stop_within / 2;
        let complete = async {
            for id in ids {
                let (frame, _) = protocol::frames(&Told::Complete, &id);
                if !matches!(self.wire.write(frame).await, Next::GoOn) {
                    return;
                }
            }
        };
        // Who does not take it in time learns it from the close.
        drop(timeout(patience, complete).await);
    }

    /// The operations that have not told their last.
    fn running(&self) -> impl Iterator<Item = &(OperationId, Running)> {
        self.operations
            .iter()
            .filter(|(_, running)| !running.is_over)
    }

    /// Nothing new begins, streams stop, and what was begun to be written is told. Which streams were stopped.
    async fn finish(&mut self) -> Vec<OperationId> {
        let streams = self
            .running()
            .filter(|(_, running)| running.is_subscription);
        let streams: Vec<_> = streams.map(|(id, _)| id.clone()).collect();
        for id in &streams {
            self.operations.remove(id);
        }
        let patience = self.limits().stop_within / 2;
        let rest = async {
            while let Some(telling) = self.operations.next().await {
                if !matches!(self.tell(telling).await, Next::GoOn) {
                    return;
                }
            }
        };
        // What is not done by now is in the log or is not; the client's retry with the same key settles it.
        drop(timeout(patience, rest).await);
        streams
    }
}
