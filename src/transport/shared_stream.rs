//! One event stream that carries several operations, each event with its operation's name.

use std::collections::HashMap;

use axum::response::Response;
use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, AbortHandle, Abortable, BoxStream, SelectAll, abortable},
};
use tokio::{sync::mpsc, time::Interval};
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use super::{
    Edge,
    event_stream::{self, complete, next, session_ended},
    guest::Guest,
    lasting,
    operation::Told,
    reservation::{Entry, Running},
};

/// What requests tell the stream that they are about.
pub(super) enum Order {
    /// Begin an operation under a name.
    Begin(String, BoxStream<'static, Told>),
    /// End it.
    End(String),
}

/// An operation that could not begin.
pub(super) fn refusal(told: Told) -> BoxStream<'static, Told> {
    stream::once(std::future::ready(told)).boxed()
}

struct SharedStream {
    guest: Guest,
    is_over: bool,
    orders: mpsc::Receiver<Order>,
    /// Names that requests must not use again.
    taken: Running,
    operations: SelectAll<Abortable<BoxStream<'static, (String, Told)>>>,
    running: HashMap<String, AbortHandle>,
    stop: CancellationToken,
    ticks: Interval,
    /// The server waits for what is open when it stops.
    _open: TaskTrackerToken,
    _entry: Entry,
}

/// The response that carries them.
pub(super) fn open(
    edge: &Edge,
    guest: Guest,
    orders: mpsc::Receiver<Order>,
    taken: Running,
    entry: Entry,
) -> Response {
    let shared = SharedStream {
        guest,
        is_over: false,
        orders,
        taken,
        operations: SelectAll::new(),
        running: HashMap::new(),
        stop: edge.stop.clone(),
        ticks: lasting::pings(edge),
        _open: edge.open.token(),
        _entry: entry,
    };
    let told = stream::unfold(shared, SharedStream::step);
    event_stream::response(told.flat_map(stream::iter))
}

impl SharedStream {
    /// The next bytes; none when the session has ended or the server stops.
    async fn step(mut self) -> Option<(Vec<Bytes>, Self)> {
        if self.is_over {
            return None;
        }
        loop {
            let events = tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                () = self.guest.ended() => {
                    self.is_over = true;
                    self.end_all()
                }
                order = self.orders.recv() => {
                    self.obey(order?);
                    continue;
                }
                Some((id, told)) = self.operations.next(), if !self.operations.is_empty() => {
                    let Some(events) = self.tell(&id, &told) else { continue };
                    events
                }
                _ = self.ticks.tick() => vec![event_stream::ALIVE],
            };
            self.guest.stays();
            self.ticks.reset();
            return Some((events, self));
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Begin(id, telling) => {
                let name = id.clone();
                let named = telling.map(move |told| (name.clone(), told)).boxed();
                let (telling, abort) = abortable(named);
                self.running.insert(id, abort);
                self.operations.push(telling);
            }
            Order::End(id) => {
                self.taken.remove(&id);
                if let Some(running) = self.running.remove(&id) {
                    running.abort();
                }
            }
        }
    }

    /// The session has ended: every operation is told so, and is over.
    fn end_all(&mut self) -> Vec<Bytes> {
        let errors = session_ended().errors.unwrap_or_default();
        let ids: Vec<_> = self.running.keys().cloned().collect();
        let ends = ids
            .iter()
            .filter_map(|id| self.tell(id, &Told::Error(errors.clone())));
        ends.flatten().collect()
    }

    /// What an operation tells, unless it was ended meanwhile.
    fn tell(&mut self, id: &str, told: &Told) -> Option<Vec<Bytes>> {
        if !self.running.contains_key(id) {
            return None;
        }
        let name = serde_json::Value::from(id).to_string();
        let around = |payload: &[&[u8]]| {
            let mut parts: Vec<&[u8]> = vec![b"{\"id\":", name.as_bytes(), b",\"payload\":"];
            parts.extend_from_slice(payload);
            parts.push(b"}");
            next(None, &parts)
        };
        let over = || complete(&[b"{\"id\":", name.as_bytes(), b"}"]);
        let events = match told {
            Told::Next(response, _) => vec![around(&[response])],
            Told::Only(response) => vec![around(&[response]), over()],
            Told::Error(errors) => vec![around(&[b"{\"errors\":", errors, b"}"]), over()],
            Told::Complete => vec![over()],
        };
        if told.is_last() {
            self.running.remove(id);
            self.taken.remove(id);
        }
        Some(events)
    }
}
