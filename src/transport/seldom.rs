//! What happens to a socket seldom: the server stops, the session ends, nobody says who they are, it is time for a ping.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, pending},
};
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep, interval_at, sleep};
use tokio_util::sync::CancellationToken;

use super::bell::Bell;
use crate::model::Limits;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rare {
    /// The server stops.
    Stop,
    /// The session has ended.
    End,
    /// Who is at the other end was not said in time.
    InitTimeout,
    /// It is time for a ping.
    Tick,
}

/// Waits for all of it; nothing but a tick happens twice, and nothing is to be asked for after it.
pub(super) struct Seldom {
    bell: Bell,
    stop: BoxFuture<'static, ()>,
    end: BoxFuture<'static, ()>,
    init: Option<Pin<Box<Sleep>>>,
    ticks: Interval,
}

impl Seldom {
    /// For a socket of which nobody has said yet who is at the other end.
    pub(super) fn new(stop: CancellationToken, limits: &Limits) -> Self {
        let every = limits.socket_ping_every;
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            bell: Bell::new(),
            stop: stop.cancelled_owned().boxed(),
            end: pending().boxed(),
            init: Some(Box::pin(sleep(limits.socket_init_within))),
            ticks,
        }
    }

    /// It is known who is at the other end, and when their session ends.
    pub(super) fn know(&mut self, end: BoxFuture<'static, ()>) {
        self.end = end;
        self.init = None;
        self.bell.ring();
    }

    pub(super) fn poll(&mut self, task: &mut Context<'_>) -> Poll<Rare> {
        let Self {
            bell,
            stop,
            end,
            init,
            ticks,
        } = self;
        bell.poll(task, |part| {
            let is_late = init
                .as_mut()
                .is_some_and(|init| init.poll_unpin(part).is_ready());
            if stop.poll_unpin(part).is_ready() {
                Poll::Ready(Rare::Stop)
            } else if end.poll_unpin(part).is_ready() {
                Poll::Ready(Rare::End)
            } else if is_late {
                Poll::Ready(Rare::InitTimeout)
            } else {
                ticks.poll_tick(part).map(|_| Rare::Tick)
            }
        })
    }
}
