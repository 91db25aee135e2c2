//! The two directions of a socket, each bounded: what a client says has a longest message, and what it is told waits for
//! it neither long nor in great number.

use std::{
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::extract::ws::{Message, WebSocket};
use futures_util::{SinkExt, StreamExt, future::poll_immediate, stream::Stream};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{bell::Bell, protocol::Close};
use crate::model::Limits;

/// Time for a client to take what it is told while the server stops.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// Time for a client to take the reason why its socket is closed.
const FAREWELL_PATIENCE: Duration = Duration::from_secs(2);

/// What a socket does next.
pub(super) enum Next {
    GoOn,
    Close(Close),
    /// The client is gone.
    Gone,
}

pub(super) struct Wire {
    ws: WebSocket,
    /// Rings when there may be something to hear.
    hearing: Bell,
    stop: CancellationToken,
    /// Time for a client to take what is written.
    patience: Duration,
    /// Bytes put into one write.
    bytes_max: usize,
}

/// How many messages a client may send: so many at once, and one more each interval (the generic cell rate algorithm).
pub(super) struct Allowance {
    interval: Duration,
    slack: Duration,
    whole_again: Instant,
}

impl Allowance {
    pub(super) fn new(limits: &Limits) -> Self {
        let interval = Duration::from_secs(1) / limits.socket_messages_per_second.max(1);
        Self {
            interval,
            slack: interval * limits.socket_messages_burst,
            whole_again: Instant::now(),
        }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.whole_again = self.whole_again.max(now) + self.interval;
        self.whole_again <= now + self.slack
    }
}

impl Wire {
    pub(super) fn new(
        ws: WebSocket,
        stop: CancellationToken,
        patience: Duration,
        bytes_max: usize,
    ) -> Self {
        Self {
            ws,
            hearing: Bell::new(),
            stop,
            patience,
            bytes_max,
        }
    }

    pub(super) fn has_protocol(&self) -> bool {
        self.ws.protocol().is_some()
    }

    /// What the client says; none when it is gone.
    pub(super) fn poll_heard(
        &mut self,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Message, axum::Error>>> {
        let ws = &mut self.ws;
        self.hearing.poll(task, |part| ws.poll_next_unpin(part))
    }

    pub(super) async fn write(&mut self, message: Message) -> Next {
        let write = self.ws.send(message);
        written(&self.stop, self.patience, write).await
    }

    /// Writes some frames, and as many more as are ready and not too much, in one go. There is no other queue for what
    /// goes out: while these are written nothing else is asked for.
    pub(super) async fn write_all<S>(
        &mut self,
        first: S::Item,
        telling: &mut S,
        mut frames: impl FnMut(S::Item) -> (Message, Option<Message>),
    ) -> Next
    where
        S: Stream + Unpin,
    {
        let (ws, bytes_max) = (&mut self.ws, self.bytes_max);
        let write = async {
            let (mut ready, mut bytes) = (Some(first), 0);
            while let Some(told) = ready.take() {
                let (frame, another) = frames(told);
                bytes += length(&frame);
                ws.feed(frame).await?;
                if let Some(another) = another {
                    ws.feed(another).await?;
                }
                if bytes < bytes_max {
                    ready = poll_immediate(telling.next()).await.flatten();
                }
            }
            ws.flush().await
        };
        written(&self.stop, self.patience, write).await
    }

    /// Says why the socket is closed, to a client that still listens.
    pub(super) async fn close(mut self, reason: Close) {
        let farewell = async {
            self.ws.send(Message::Close(Some(reason.frame()))).await?;
            // The client's own close; without waiting for it the code could be lost.
            while let Some(Ok(_)) = self.ws.recv().await {}
            Ok::<_, axum::Error>(())
        };
        // A client that is gone misses the farewell; nothing is left to do for it.
        drop(timeout(FAREWELL_PATIENCE.min(self.patience), farewell).await);
    }
}

fn length(frame: &Message) -> usize {
    match frame {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

/// Waits until a client has taken what is written to it.
async fn written(
    stop: &CancellationToken,
    patience: Duration,
    write: impl Future<Output = Result<(), axum::Error>>,
) -> Next {
    let mut write = pin!(write);
    // Nearly always it is taken at once, and nobody needs a clock.
    match poll_immediate(&mut write).await {
        Some(done) => after(&done),
        None => Box::pin(taken(stop, patience, write)).await,
    }
}

/// Waits for a client that does not take what is written; not for long once the server is to stop.
async fn taken(
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
        done = timeout(patience, write) => match done {
            Ok(done) => after(&done),
            Err(_) => Next::Close(Close::TooSlow),
        },
        () = stopped => Next::Gone,
    }
}

fn after(done: &Result<(), axum::Error>) -> Next {
    match done {
        Ok(()) => Next::GoOn,
        Err(_) => Next::Gone,
    }
}
