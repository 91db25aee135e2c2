//! ROADS: carries committed changes from the writers to the hub. On one node that is a queue in memory.
//!
//! The bus is a hint, the log is the truth: who misses something here finds it there.

use tokio::sync::mpsc;

use crate::model::{Change, Shard};

/// Batches on the way at most. The hub does no I/O, so a writer that waits here waits for microseconds.
pub const COMMITS_MAX: usize = 256;

/// What one transaction changed, in order.
#[derive(Debug)]
pub struct Commit {
    /// The shard it was written to.
    pub shard: Shard,
    /// The changes, by position, without a hole.
    pub changes: Vec<Change>,
}

/// The writers' end.
#[derive(Debug, Clone)]
pub struct Publisher(mpsc::Sender<Commit>);

/// The hub's end.
#[derive(Debug)]
pub struct Subscriber(mpsc::Receiver<Commit>);

/// A road within this process.
pub fn local() -> (Publisher, Subscriber) {
    let (sender, receiver) = mpsc::channel(COMMITS_MAX);
    (Publisher(sender), Subscriber(receiver))
}

impl Publisher {
    /// Sends what was committed. Without a hub nobody listens, and nothing is lost: it is in the log.
    pub async fn publish(&self, commit: Commit) {
        drop(self.0.send(commit).await);
        // The hub has its turn before the writers are answered, where both run on one thread.
        tokio::task::yield_now().await;
    }
}

impl Subscriber {
    /// The next commits, in order; none when every writer has stopped.
    pub async fn next(&mut self) -> Option<Commit> {
        self.0.recv().await
    }
}
