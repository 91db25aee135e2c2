//! The house from the store to the stream of events, with nobody in it who acts by themself: the writer, the reader, the
//! road between them and the hub all do one step when they are told to.

use std::{
    collections::VecDeque,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use parlor::{
    bus::{self, Commit, Subscriber},
    chat::{Chat, Parts},
    fault::{Fault, Faults, Point, Verdict},
    live::{Hub, LogReader},
    log::{self, LogWriter, Stopped},
    model::{Clock, Limits, Random, Timestamp},
    store::{self, Opened, Store},
};
use tokio::runtime::Runtime;

use super::gate::{Gate, Gates};

/// A clock that only the simulation turns, back too.
#[derive(Default)]
pub(super) struct SimClock(pub(super) AtomicI64);

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + self.0.load(Ordering::Relaxed))
    }
}

type Step<T, R> = Pin<Box<dyn Future<Output = (T, R)>>>;

/// Somebody who does one thing at a time, and may be stopped in the middle of it.
enum Worker<T, R> {
    Idle(T),
    Busy(Step<T, R>),
    Gone,
}

impl<T, R> Worker<T, R> {
    /// Goes on with what was begun, or begins something; until it is done or stopped at the gate.
    fn go_on(
        &mut self,
        runtime: &Runtime,
        gate: &Gate,
        begin: impl FnOnce(T) -> Step<T, R>,
    ) -> Option<R> {
        let mut step = match std::mem::replace(self, Self::Gone) {
            Self::Idle(worker) => begin(worker),
            Self::Busy(step) => step,
            Self::Gone => return None,
        };
        let done = runtime.block_on(async {
            tokio::select! {
                biased;
                done = &mut step => Some(done),
                () = gate.stopped.notified() => None,
            }
        });
        let Some((worker, result)) = done else {
            *self = Self::Busy(step);
            return None;
        };
        *self = Self::Idle(worker);
        Some(result)
    }
}

/// How the simulation bends the house.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bends {
    pub(super) seed: u64,
    pub(super) fault: Option<Fault>,
    /// How often the writer and the reader are stopped at a point.
    pub(super) stops: f64,
}

/// An open house.
pub(super) struct House {
    pub(super) chat: Arc<Chat>,
    pub(super) store: Store,
    pub(super) hub: Arc<Hub>,
    gates: Arc<Gates>,
    writer: Worker<LogWriter, Result<(), Stopped>>,
    reader: Worker<LogReader, ()>,
    subscriber: Subscriber,
    /// Published, and not with the hub yet.
    pub(super) on_the_way: VecDeque<Commit>,
}

pub(super) fn database(directory: &Path) -> PathBuf {
    directory.join("chat.db")
}

fn limits(seed: u64) -> Limits {
    Limits {
        rate_limits: false,
        // What somebody follows is kept, or read anew each time.
        followed_kept_max: if seed.is_multiple_of(3) { 10 } else { 0 },
        // A slow reader is soon too slow.
        tail_news_max: 6,
        // What was missed comes in many reads and frames.
        catch_up_rows: 5,
        frame_events_max: 2,
        // Messages are filed at once, a few at a time, or never; their keys are indexed soon.
        recent_bytes_max: [0, 2_000, 4_000_000][(seed / 3 % 3) as usize],
        keys_waiting_min: 2,
        // Nothing happens by itself.
        heartbeat_every: std::time::Duration::from_hours(24),
        ..Limits::default()
    }
}

impl House {
    pub(super) fn open(
        runtime: &Runtime,
        directory: &Path,
        clock: &Arc<SimClock>,
        bends: Bends,
    ) -> Self {
        let gates = Arc::new(Gates::new(bends.seed, bends.stops));
        let faults = Faults {
            fault: bends.fault,
            hook: Some(Arc::clone(&gates) as _),
        };
        let (limits, random) = (
            Arc::new(limits(bends.seed)),
            Arc::new(Random::seeded(bends.seed)),
        );
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        let (publisher, subscriber) = bus::local();
        let url = format!("sqlite://{}?mode=rwc", database(directory).display());
        let (store, log, writer, profiles) = runtime.block_on(async {
            let Opened { store, writer } = store::open(&url, &random).await.expect("a database");
            let parts = log::Parts {
                writer,
                publisher,
                clock: Arc::clone(&clock),
                limits: Arc::clone(&limits),
                faults: faults.clone(),
            };
            let (log, writer, profiles) = log::open(parts, &store).await.expect("a log");
            (store, log, writer, profiles)
        });
        let (hub, waiting) = Hub::new(Arc::clone(&limits), &log.heads(), faults.clone());
        let hub = Arc::new(hub);
        let reader = LogReader::new(store.clone(), Arc::clone(&hub), waiting);
        let parts = Parts {
            store: store.clone(),
            log,
            profiles,
            hub: Arc::clone(&hub),
            limits,
            clock,
            random,
            faults,
        };
        Self {
            chat: Arc::new(Chat::new(parts)),
            store,
            hub,
            gates,
            writer: Worker::Idle(writer),
            reader: Worker::Idle(reader),
            subscriber,
            on_the_way: VecDeque::new(),
        }
    }

    /// Where the writer stands in the middle of a batch.
    pub(super) fn writer_is_at(&self) -> Option<Point> {
        self.gates.writer.at()
    }

    /// Whether the reader stands in the middle of a read.
    pub(super) fn reader_is_stopped(&self) -> bool {
        self.gates.reader.at().is_some()
    }

    /// The writer does something, if there is something to do. Whether the storage failed.
    pub(super) fn write(&mut self, runtime: &Runtime, verdict: Verdict) -> Result<bool, Stopped> {
        match &self.writer {
            Worker::Idle(writer) if writer.is_idle() => return Ok(false),
            Worker::Busy(_) => self.gates.writer.open(verdict),
            Worker::Idle(_) | Worker::Gone => {}
        }
        let begin = |mut writer: LogWriter| -> Step<_, _> {
            Box::pin(async move {
                let result = writer.step().await;
                (writer, result)
            })
        };
        let done = self.writer.go_on(runtime, &self.gates.writer, begin);
        self.collect(runtime);
        done.unwrap_or(Ok(()))?;
        Ok(true)
    }

    /// The reader does something, if there is something to do.
    pub(super) fn read(&mut self, runtime: &Runtime, verdict: Verdict) -> bool {
        match &self.reader {
            Worker::Idle(reader) if reader.is_idle() => return false,
            Worker::Busy(_) => self.gates.reader.open(verdict),
            Worker::Idle(_) | Worker::Gone => {}
        }
        let begin = |mut reader: LogReader| -> Step<_, _> {
            Box::pin(async move {
                reader.step().await;
                (reader, ())
            })
        };
        self.reader.go_on(runtime, &self.gates.reader, begin);
        true
    }

    /// What was published is on the way now.
    fn collect(&mut self, runtime: &Runtime) {
        runtime.block_on(async {
            while let Some(commit) = tokio::select! {
                biased;
                commit = self.subscriber.next() => commit,
                () = std::future::ready(()) => None,
            } {
                self.on_the_way.push_back(commit);
            }
        });
    }

    /// The end of the process, wherever it is.
    pub(super) fn crash(self, runtime: &Runtime) {
        let store = self.store.clone();
        runtime.block_on(async {
            drop(self);
            store.close().await;
        });
    }

    /// A clean end.
    pub(super) fn close(self, runtime: &Runtime) {
        let Self { store, writer, .. } = self;
        runtime.block_on(async {
            store.close().await;
            if let Worker::Idle(writer) = writer {
                writer.close().await;
            }
        });
    }
}
