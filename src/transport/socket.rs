//! A WebSocket: one task that reads what the client says, runs its operations and writes what they tell.
//!
//! There is no queue for what goes out. Operations are streams that are read only when the socket takes more, so a slow
//! client slows down nothing but itself; what it misses meanwhile it reads from the log.

use std::{collections::HashMap, time::Duration};

use axum::{
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{StatusCode, header},
    response::IntoResponse,
};
use futures_util::{
    FutureExt, SinkExt, StreamExt,
    stream::{AbortHandle, Abortable, BoxStream, SelectAll, abortable},
};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Edge, Reply, Shared,
    auth::{self, Who},
    operation::{self, Telling},
    protocol::{self, Close, OperationId, Said},
};
use crate::{
    chat::Connection,
    graphql::{Answer, Asker, Code, failure},
    model::{Limits, Token},
};

/// Time for a client to take what it is told while the server stops.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// Frames put together into one write at most.
const FRAMES_PER_WRITE: usize = 64;

/// Turns a GET into a socket; anything else that is a GET is not for this server.
pub(super) async fn upgrade(
    State(edge): Shared,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    headers: axum::http::HeaderMap,
) -> Reply {
    let Ok(upgrade) = upgrade else {
        let allow = [(header::ALLOW, "POST")];
        return (
            StatusCode::METHOD_NOT_ALLOWED,
            allow,
            "POST a GraphQL request, or open a WebSocket.\n",
        )
            .into_response();
    };
    if edge.stop.is_cancelled() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let bytes_max = edge.api.chat().limits().body_bytes_max;
    let token = auth::from_headers(&headers);
    let alive = edge.sockets.token();
    upgrade
        .protocols([protocol::NAME])
        .max_message_size(bytes_max)
        .max_frame_size(bytes_max)
        // The defaults are 128 KiB each, taken at once: most of what an idle socket would cost.
        .read_buffer_size(4 * 1024)
        .write_buffer_size(4 * 1024)
        .on_upgrade(move |ws| async move {
            let _alive = alive;
            Socket::new(edge, ws, token).serve().await;
        })
}

/// What a socket does next.
enum Next {
    GoOn,
    Close(Close),
    /// The client is gone.
    Gone,
}

struct Socket {
    edge: Edge,
    ws: WebSocket,
    /// The token of the upgrade's own headers: what counts when `connection_init` has none.
    token: Option<Token>,
    who: Who,
    operations: SelectAll<Abortable<BoxStream<'static, Telling>>>,
    running: HashMap<OperationId, Running>,
    heard_at: Instant,
    /// When the session was last said to be in use.
    used_at: Instant,
}

struct Running {
    abort: AbortHandle,
    is_subscription: bool,
}

impl Socket {
    fn new(edge: Edge, ws: WebSocket, token: Option<Token>) -> Self {
        let (operations, running) = (SelectAll::new(), HashMap::new());
        Self {
            edge,
            ws,
            token,
            who: Who::Unknown,
            operations,
            running,
            heard_at: Instant::now(),
            used_at: Instant::now(),
        }
    }

    fn limits(&self) -> &Limits {
        self.edge.api.chat().limits()
    }

    async fn serve(mut self) {
        let close = if self.ws.protocol().is_some() {
            self.talk().await
        } else {
            Some(Close::NoSubprotocol)
        };
        self.use_session();
        if let Some(close) = close {
            let patience = self.limits().socket_write_within;
            let farewell = async {
                self.ws.send(Message::Close(Some(close.frame()))).await?;
                // The client's own close; without waiting for it the code could be lost.
                while let Some(Ok(_)) = self.ws.recv().await {}
                Ok::<_, axum::Error>(())
            };
            // A client that is gone misses the farewell; nothing is left to do for it.
            drop(timeout(patience.min(Duration::from_secs(2)), farewell).await);
        }
    }

    /// Until somebody has had enough; says how to close, unless the client is gone.
    async fn talk(&mut self) -> Option<Close> {
        let stop = self.edge.stop.clone();
        let init_by = Instant::now() + self.limits().socket_init_within;
        let mut ticks = ticks(self.limits().socket_ping_every);
        loop {
            let connection = self.who.connection();
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.finish().await;
                    Next::Close(Close::Restart)
                }
                () = ended(connection) => {
                    self.complete_all().await;
                    Next::Close(Close::Forbidden)
                }
                () = tokio::time::sleep_until(init_by), if matches!(self.who, Who::Unknown) => Next::Close(Close::InitTimeout),
                next = fair(&mut self.ws, &mut self.operations) => match next {
                    Fair::Heard(message) => self.hear(message).await,
                    Fair::Told(telling) => self.tell(telling).await,
                },
                _ = ticks.tick() => self.ping().await,
            };
            match next {
                Next::GoOn => {}
                Next::Close(close) => return Some(close),
                Next::Gone => return None,
            }
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Next {
        self.heard_at = Instant::now();
        match message {
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                Ok(said) => self.answer(said).await,
                Err(_) => Next::Close(Close::BadMessage),
            },
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
            Said::ConnectionInit { .. } if !matches!(self.who, Who::Unknown) => {
                Next::Close(Close::SecondInit)
            }
            Said::ConnectionInit { payload } => self.init(payload.as_ref()).await,
            Said::Ping { payload } => self.write(protocol::pong(payload.as_ref())).await,
            Said::Pong {} => Next::GoOn,
            Said::Subscribe { id, payload } => self.start(OperationId::new(&id), *payload).await,
            Said::Complete { id } => {
                if let Some(running) = self.running.remove(&OperationId::new(&id)) {
                    running.abort.abort();
                }
                Next::GoOn
            }
        }
    }

    async fn init(&mut self, payload: Option<&serde_json::Value>) -> Next {
        let token = auth::from_init(payload).or_else(|| self.token.take());
        let who = match token {
            None => Who::Nobody,
            Some(token) => match self.edge.api.chat().authenticate_for_long(&token).await {
                Ok(Some(connection)) => Who::Somebody(connection),
                Ok(None) => return Next::Close(Close::Forbidden),
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a token could not be looked up"
                    );
                    return Next::Close(Close::Failed);
                }
            },
        };
        self.who = who;
        self.write(Message::text(protocol::ACK)).await
    }

    async fn start(&mut self, id: OperationId, request: async_graphql::Request) -> Next {
        if matches!(self.who, Who::Unknown) {
            return Next::Close(Close::Unauthorized);
        }
        let viewer = self.who.connection().map(|connection| connection.viewer);
        if request.query.is_empty() {
            return Next::Close(Close::BadMessage);
        }
        if self.running.contains_key(&id) {
            return Next::Close(Close::DuplicateId);
        }
        // "Now", for what this begins, is before anything is read for it.
        let heads = self.edge.api.chat().heads();
        let max = self.limits().socket_operations_max;
        let prepared = if self.running.len() < max {
            self.edge.api.prepare(request)
        } else {
            let message = format!("a socket runs at most {max} operations at one time");
            Err(Answer::rejection(vec![failure(Code::RateLimited, message)]))
        };
        let operation = match prepared {
            Ok(operation) => operation,
            Err(answer) => {
                let told = protocol::Told::Error(answer.errors.unwrap_or_default());
                return self.write(told.frames(&id).0).await;
            }
        };
        let is_subscription = operation.kind == crate::graphql::Kind::Subscription;
        let asker = Asker::new(viewer, heads);
        let api = std::sync::Arc::clone(&self.edge.api);
        let stream = operation::run(api, id.clone(), operation, asker, self.edge.request_id());
        let (stream, abort) = abortable(stream);
        self.running.insert(
            id,
            Running {
                abort,
                is_subscription,
            },
        );
        self.operations.push(stream);
        Next::GoOn
    }

    /// Writes what an operation tells, and whatever else is ready, in one go.
    async fn tell(&mut self, telling: Telling) -> Next {
        let patience = self.limits().socket_write_within;
        let mut ready = Some(telling);
        let write = async {
            let mut frames = 0;
            while let Some((id, told)) = ready.take() {
                if told.is_last() {
                    self.running.remove(&id);
                }
                let (first, second) = told.frames(&id);
                self.ws.feed(first).await?;
                if let Some(second) = second {
                    self.ws.feed(second).await?;
                }
                frames += 1;
                if frames < FRAMES_PER_WRITE {
                    ready = self.operations.next().now_or_never().flatten();
                }
            }
            self.ws.flush().await
        };
        written(&self.edge.stop, patience, write).await
    }

    async fn write(&mut self, message: Message) -> Next {
        let patience = self.limits().socket_write_within;
        written(&self.edge.stop, patience, self.ws.send(message)).await
    }

    async fn ping(&mut self) -> Next {
        if self.heard_at.elapsed() >= self.limits().socket_dead_after {
            return Next::Gone;
        }
        if self.used_at.elapsed() >= self.limits().session_touch {
            self.used_at = Instant::now();
            self.use_session();
        }
        self.write(Message::Ping(bytes::Bytes::new())).await
    }

    /// Says that whoever it is, is there still.
    fn use_session(&self) {
        if let Some(connection) = self.who.connection() {
            self.edge.api.chat().use_session(connection.viewer);
        }
    }

    /// The session has ended: what was begun to be written is told, then every stream is over.
    async fn complete_all(&mut self) {
        self.finish().await;
        let ids: Vec<_> = self.running.drain().map(|(id, _)| id).collect();
        let patience = self.limits().stop_within / 2;
        let complete = async {
            for id in ids {
                let (frame, _) = protocol::Told::Complete.frames(&id);
                if !matches!(self.write(frame).await, Next::GoOn) {
                    return;
                }
            }
        };
        // Who does not take it in time learns it from the close.
        drop(timeout(patience, complete).await);
    }

    /// Nothing new begins, streams stop, and what was begun to be written is told.
    async fn finish(&mut self) {
        self.running
            .values()
            .filter(|running| running.is_subscription)
            .for_each(|running| running.abort.abort());
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
    }
}

/// Waits until a client has taken what is written to it; not for long once the server is to stop.
async fn written(
    stop: &CancellationToken,
    patience: Duration,
    write: impl Future<Output = Result<(), axum::Error>>,
) -> Next {
    let stopped = async {
        stop.cancelled().await;
        tokio::time::sleep(STOP_PATIENCE).await;
    };
    tokio::select! {
        biased;
        written = timeout(patience, write) => match written {
            Ok(Ok(())) => Next::GoOn,
            Ok(Err(_)) | Err(_) => Next::Gone,
        },
        () = stopped => Next::Gone,
    }
}

enum Fair {
    Heard(Option<Result<Message, axum::Error>>),
    Told(Telling),
}

/// The next thing from either side, neither before the other.
async fn fair(
    ws: &mut WebSocket,
    operations: &mut SelectAll<Abortable<BoxStream<'static, Telling>>>,
) -> Fair {
    tokio::select! {
        message = ws.recv() => Fair::Heard(message),
        Some(telling) = operations.next(), if !operations.is_empty() => Fair::Told(telling),
    }
}

async fn ended(connection: Option<&Connection>) {
    match connection {
        Some(connection) => connection.ended().await,
        None => std::future::pending().await,
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
