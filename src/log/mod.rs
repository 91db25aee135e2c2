//! ORDER: the one way in for every write.
//!
//! A write says what rows it [needs](Write::needs) and, once they are in memory, [decides](Write::decide). It knows
//! nothing of statements or transactions; the log knows nothing of rules. Each shard has one writer. It takes what is
//! queued at that moment, lets the writes decide in queue order, stores what they decided in one transaction, commits,
//! and only then answers and publishes. So positions and numbers are dense, are seen in order, and nobody is ever shown
//! what a crash could undo.

mod batch;
mod keys;
mod known;
mod needs;
mod profiles;
mod queue;
mod relations;
mod steps;
mod writer;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use tokio::sync::{
    Semaphore,
    mpsc::{self, error::TrySendError},
};

pub use batch::Batch;
pub use needs::Needs;
pub use profiles::Profiles;
pub use writer::{LogWriter, Stopped};

use crate::{
    bus::Publisher,
    fault::Faults,
    model::{Clock, Heads, Limits},
    store::{Store, Writer},
};
use queue::{Entry, Queued, Waiting};

/// Something that somebody wants to change. It lives in one shard and is decided there, over rows that stand still.
pub trait Write: Send + 'static {
    /// What it gives when it holds.
    type Outcome: Send + 'static;
    /// Why it may be refused.
    type Refusal: Send + 'static;

    /// The last byte of the identifier whose shard this belongs to.
    fn last_byte(&self) -> u8;

    /// Names the rows that the decision reads.
    fn needs(&self, needs: &mut Needs);

    /// Decides over the rows as they are after every write before it, and changes them.
    /// All checks come before the first change: a refused write leaves nothing behind.
    fn decide(&self, batch: &mut Batch) -> Result<Self::Outcome, Self::Refusal>;

    /// About how many bytes it stores.
    fn bytes(&self) -> usize {
        256
    }
}

/// Why a write did not happen, or is not known to have happened.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<R> {
    /// The rules said no.
    #[error("refused")]
    Refused(R),
    /// Too much is waiting, or somebody else holds the database: nothing was written, try again soon.
    #[error("the log is busy")]
    Busy,
    /// The server is stopping: nothing was written.
    #[error("the log has stopped")]
    Stopped,
    /// The storage failed in the middle: trying again with the same key settles it.
    #[error("the outcome is unknown")]
    Unknown,
    /// A fault of this program: nothing was written.
    #[error("the write failed")]
    Failed(Arc<crate::store::Error>),
}

/// The log as those see it who write.
#[derive(Clone)]
pub struct Log {
    queues: Arc<[mpsc::Sender<Box<dyn Entry>>]>,
    /// A permit for each byte that may wait.
    room: Arc<Semaphore>,
    heads: Arc<[AtomicI64]>,
}

/// A write for the queue, and where its answer will come.
type QueuedWrite<W> = (Queued<W>, Waiting<W>);

/// What a log needs of the rest of the house.
pub struct Parts {
    /// The one door for writing.
    pub writer: Writer,
    /// Where committed changes go.
    pub publisher: Publisher,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// The bounds.
    pub limits: Arc<Limits>,
    /// What a test planted.
    pub faults: Faults,
}

/// Opens the log where the store left it. The writer is a task for the caller to run, and to stop.
pub async fn open(
    parts: Parts,
    store: &Store,
) -> Result<(Log, LogWriter, Arc<Profiles>), crate::store::Error> {
    let heads: Arc<[AtomicI64]> = store
        .heads()
        .await?
        .into_iter()
        .map(AtomicI64::new)
        .collect();
    let profiles = Arc::new(Profiles::new(store.clone()));
    debug_assert_eq!(heads.len(), usize::from(store.shards()));
    // SQLite has one shard and one writer; several shards will have several, each with a queue of its own.
    let (queue, queued) = mpsc::channel(parts.limits.log_queue_max);
    let room = Arc::new(Semaphore::new(parts.limits.log_queue_bytes_max as usize));
    let writer = LogWriter::new(parts, 0, queued, Arc::clone(&heads), Arc::clone(&profiles));
    Ok((
        Log {
            queues: Arc::new([queue]),
            room,
            heads,
        },
        writer,
        profiles,
    ))
}

impl Log {
    /// Queues a write and waits until it is stored for good, or refused.
    pub async fn write<W: Write>(&self, write: W) -> Result<W::Outcome, WriteError<W::Refusal>> {
        let (entry, answer) = self.queued(write)?;
        self.enqueue(entry)?;
        answer.await.unwrap_or(Err(WriteError::Stopped))
    }

    /// Queues a write whose outcome nobody waits for.
    pub fn write_later<W: Write>(&self, write: W) {
        // Nobody waits: when the log is too busy for it, it is left out.
        drop(
            self.queued(write)
                .and_then(|(entry, _)| self.enqueue(entry)),
        );
    }

    fn queued<W: Write>(&self, write: W) -> Result<QueuedWrite<W>, WriteError<W::Refusal>> {
        let bytes = u32::try_from(write.bytes()).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes);
        Ok(Queued::new(write, room.map_err(|_| WriteError::Busy)?))
    }

    fn enqueue<W: Write>(&self, entry: Queued<W>) -> Result<(), WriteError<W::Refusal>> {
        let shards = self.queues.len();
        let queue = &self.queues[usize::from(entry.last_byte()) % shards];
        queue
            .try_send(Box::new(entry))
            .map_err(|error| match error {
                TrySendError::Full(_) => WriteError::Busy,
                TrySendError::Closed(_) => WriteError::Stopped,
            })
    }

    /// The newest positions that this node has committed, by shard; each is set before its writer answers.
    pub fn heads(&self) -> Heads {
        self.heads
            .iter()
            .map(|head| head.load(Ordering::Acquire))
            .collect()
    }

    /// Whether a write may still be queued.
    pub fn is_open(&self) -> bool {
        self.queues.iter().all(|queue| !queue.is_closed())
    }
}
