//! An HTTP response that lasts: a subscription as its client reads it, until it is over, the session ends or the server
//! stops.

use futures_util::{Stream, StreamExt, stream, stream::BoxStream};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use super::{Edge, guest::Guest, operation::Told};

/// What happens on it.
pub(super) enum Beat {
    /// The operation tells something.
    Told(Told),
    /// Nothing was told for a while.
    Alive,
    /// The session of who listens has ended; nothing follows.
    SessionEnded,
    /// The server stops; nothing follows, and a client that comes back is served by its successor.
    Stopped,
}

struct Lasting {
    guest: Guest,
    telling: BoxStream<'static, Told>,
    stop: CancellationToken,
    ticks: Interval,
    is_over: bool,
    /// The server waits for what is open when it stops.
    _open: TaskTrackerToken,
}

/// The beats of an operation that somebody listens to.
pub(super) fn beats(
    edge: &Edge,
    guest: Guest,
    telling: BoxStream<'static, Told>,
) -> impl Stream<Item = Beat> + Send + use<> {
    let lasting = Lasting {
        guest,
        telling,
        stop: edge.stop.clone(),
        ticks: pings(edge),
        is_over: false,
        _open: edge.open.token(),
    };
    stream::unfold(lasting, Lasting::step)
}

/// Ticks of a response on which nothing is told.
pub(super) fn pings(edge: &Edge) -> Interval {
    let every = edge.api.chat().limits().stream_ping_every;
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl Lasting {
    async fn step(mut self) -> Option<(Beat, Self)> {
        if self.is_over {
            return None;
        }
        let beat = tokio::select! {
            biased;
            () = self.stop.cancelled() => Beat::Stopped,
            () = self.guest.ended() => Beat::SessionEnded,
            told = self.telling.next() => Beat::Told(told?),
            _ = self.ticks.tick() => Beat::Alive,
        };
        self.is_over = match &beat {
            Beat::Told(told) => told.is_last(),
            Beat::Alive => false,
            Beat::SessionEnded | Beat::Stopped => true,
        };
        self.guest.stays();
        self.ticks.reset();
        Some((beat, self))
    }
}
