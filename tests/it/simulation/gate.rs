//! Where the writer and the reader stop in the middle of what they do, until the simulation lets them go on.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use parlor::fault::{Hook, Point, Verdict};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::sync::Notify;

/// One of the two who may be stopped.
#[derive(Default)]
pub(super) struct Gate {
    pub(super) stopped: Notify,
    go_on: Notify,
    at: Mutex<Option<Point>>,
    verdict: Mutex<Option<Verdict>>,
}

impl Gate {
    /// Where somebody stands.
    pub(super) fn at(&self) -> Option<Point> {
        *self.at.lock().expect("a lock")
    }

    /// Lets whoever stands there go on.
    pub(super) fn open(&self, verdict: Verdict) {
        *self.verdict.lock().expect("a lock") = Some(verdict);
        self.go_on.notify_one();
    }
}

/// The gates of one house. Whether somebody is stopped at a point is decided by the seed.
pub(super) struct Gates {
    pub(super) writer: Arc<Gate>,
    pub(super) reader: Arc<Gate>,
    random: Mutex<StdRng>,
    often: f64,
}

impl Gates {
    pub(super) fn new(seed: u64, often: f64) -> Self {
        Self {
            writer: Arc::default(),
            reader: Arc::default(),
            random: Mutex::new(StdRng::seed_from_u64(seed)),
            often,
        }
    }
}

impl Hook for Gates {
    fn reach(&self, point: Point) -> Pin<Box<dyn Future<Output = Verdict> + Send + '_>> {
        let gate = if point == Point::BetweenReads {
            Arc::clone(&self.reader)
        } else {
            Arc::clone(&self.writer)
        };
        // A read is stopped twice as often: what happens meanwhile is what it must not miss.
        let often = self.often
            * if point == Point::BetweenReads {
                2.0
            } else {
                1.0
            };
        let stops = self.random.lock().expect("a lock").random_bool(often);
        Box::pin(async move {
            if !stops {
                return Verdict::GoOn;
            }
            *gate.at.lock().expect("a lock") = Some(point);
            gate.stopped.notify_one();
            gate.go_on.notified().await;
            *gate.at.lock().expect("a lock") = None;
            gate.verdict
                .lock()
                .expect("a lock")
                .take()
                .unwrap_or(Verdict::GoOn)
        })
    }
}
