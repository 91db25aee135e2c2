//! The writer of a shard: one task, one transaction after another.
//!
//! There is no timer. While one transaction commits the next writes queue up; that is the batching window.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Batch, Needs, Parts, Profiles,
    keys::NewestKeys,
    known::Known,
    queue::{Entry, Failure},
};
use crate::{
    bus::{Commit, Publisher},
    fault::{Fault, Faults, Point},
    model::{Change, Clock, Limits, Shard},
    store::{Error, Filing, Transaction, Writer},
};

/// The storage failed: what was being written may or may not be there, so nothing more is acknowledged.
#[derive(Debug, thiserror::Error)]
#[error("the log stopped because its storage failed")]
pub struct Stopped(#[source] Arc<Error>);

/// How a batch meets the keys of its messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// Taken to be new unless it is among the newest; the index says if one is not.
    TakenAsNew,
    /// All looked up.
    LookedUp,
}

/// The writer of one shard.
pub struct LogWriter {
    writer: Writer,
    shard: Shard,
    queue: mpsc::Receiver<Box<dyn Entry>>,
    heads: Arc<[AtomicI64]>,
    profiles: Arc<Profiles>,
    publisher: Publisher,
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
    faults: Faults,
    known: Option<Known>,
    /// The newest keys, while nothing else is known.
    newest_keys: NewestKeys,
}

impl LogWriter {
    pub(super) fn new(
        parts: Parts,
        shard: Shard,
        queue: mpsc::Receiver<Box<dyn Entry>>,
        heads: Arc<[AtomicI64]>,
        profiles: Arc<Profiles>,
    ) -> Self {
        let Parts {
            writer,
            publisher,
            clock,
            limits,
            faults,
        } = parts;
        Self {
            writer,
            shard,
            queue,
            heads,
            profiles,
            publisher,
            clock,
            limits,
            faults,
            known: None,
            newest_keys: NewestKeys::default(),
        }
    }

    /// Writes until `stop`; what is queued by then is still written. Ends early only when the storage fails.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Stopped> {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled(), if !self.queue.is_closed() => self.queue.close(),
                taken = self.take() => {
                    let Some(entries) = taken else { break };
                    self.write_all(entries).await?;
                }
            }
        }
        self.close().await;
        Ok(())
    }

    /// Writes what is queued now, waiting for something if there is nothing. For whoever drives the log step by step.
    pub async fn step(&mut self) -> Result<(), Stopped> {
        match self.take().await {
            Some(entries) => self.write_all(entries).await,
            None => Ok(()),
        }
    }

    /// Whether anything is queued.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Gives the database back.
    pub async fn close(self) {
        self.writer.close().await;
    }

    /// All that is queued, up to a batch; nothing when nothing will be any more.
    async fn take(&mut self) -> Option<Vec<Box<dyn Entry>>> {
        let mut entries = Vec::new();
        let taken = self
            .queue
            .recv_many(&mut entries, self.limits.batch_writes_max)
            .await;
        (taken > 0).then_some(entries)
    }

    async fn write_all(&mut self, mut entries: Vec<Box<dyn Entry>>) -> Result<(), Stopped> {
        while !entries.is_empty() {
            let rest = self.split(&mut entries);
            let batch = std::mem::replace(&mut entries, rest);
            self.write(batch).await?;
        }
        Ok(())
    }

    /// Cuts off what is too much for one transaction.
    fn split(&self, entries: &mut Vec<Box<dyn Entry>>) -> Vec<Box<dyn Entry>> {
        let mut bytes = 0;
        let full = entries.iter().position(|entry| {
            bytes += entry.bytes();
            bytes > self.limits.batch_bytes_max
        });
        entries.split_off(full.unwrap_or(entries.len()).max(1).min(entries.len()))
    }

    async fn write(&mut self, mut entries: Vec<Box<dyn Entry>>) -> Result<(), Stopped> {
        let mut outcome = self.attempt(&mut entries, Keys::TakenAsNew).await;
        if matches!(outcome, Ok(None) | Err(Error::Conflict(_))) {
            outcome = self.attempt(&mut entries, Keys::LookedUp).await;
        }
        match outcome {
            Ok(changes) => {
                // Committed is committed: a test may stop here, not undo it.
                drop(self.faults.reach(Point::BeforePublish).await);
                self.publish(changes.unwrap_or_default()).await;
                entries.into_iter().for_each(Entry::answer);
                Ok(())
            }
            Err(Error::Busy(error)) => {
                tracing::warn!(%error, writes = entries.len(), "the database is held by somebody else");
                fail(entries, &Failure::Busy);
                Ok(())
            }
            Err(error @ Error::Storage(_)) => {
                fail(entries, &Failure::Unknown);
                Err(Stopped(Arc::new(error)))
            }
            // One write's fault must not be its neighbours': each is tried alone.
            Err(error) if entries.len() > 1 => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a batch failed; its writes are tried one by one"
                );
                for entry in entries {
                    Box::pin(self.write(vec![entry])).await?;
                }
                Ok(())
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a write failed");
                fail(entries, &Failure::Failed(Arc::new(error)));
                Ok(())
            }
        }
    }

    /// One transaction; nothing when a decision hangs on keys that were not looked up. What was known is forgotten
    /// unless it commits.
    async fn attempt(
        &mut self,
        entries: &mut [Box<dyn Entry>],
        keys: Keys,
    ) -> Result<Option<Vec<Change>>, Error> {
        let mut needs = Needs::default();
        for entry in entries.iter() {
            entry.needs(&mut needs);
        }
        let known = self.known.take();
        let tx = self.writer.begin();
        let filing = match keys {
            Keys::TakenAsNew => tx.filing(self.limits.recent_bytes_max),
            // The second try writes what people want and nothing else: should rows not let themselves be filed, writing
            // goes on.
            Keys::LookedUp => Filing::default(),
        };
        for (conversation, _) in &filing.runs {
            needs.conversation(*conversation);
        }
        // This process holds the database for itself, so what is known stands until a transaction fails. One that
        // others write to as well would be asked for its head here, under the lock, every time.
        let known = if let Some(known) = known {
            known
        } else {
            let head = tx.find_head(self.shard).await?;
            Known::at(head, std::mem::take(&mut self.newest_keys))
        };
        let mut batch = Batch::new(self.shard, self.clock.now(), known, self.faults.clone());
        match self
            .fill(&mut batch, entries, &needs, keys, filing, tx)
            .await
        {
            Ok(true) => {
                let left = self.writer.recent_keys(&batch.indexed_conversations());
                let (known, changes) = batch.finish(&left);
                self.known = Some(known.kept());
                Ok(Some(changes))
            }
            outcome => {
                self.newest_keys = batch.abandon();
                outcome.map(|_| None)
            }
        }
    }

    /// Decides and stores a batch; not if a decision hangs on keys that were not looked up.
    async fn fill(
        &mut self,
        batch: &mut Batch,
        entries: &mut [Box<dyn Entry>],
        needs: &Needs,
        keys: Keys,
        filing: Filing,
        mut tx: Transaction,
    ) -> Result<bool, Error> {
        batch.load(needs, &tx).await?;
        batch.load_keys(needs, keys == Keys::LookedUp, &tx).await?;
        for entry in entries {
            entry.decide(batch);
        }
        if keys == Keys::TakenAsNew && batch.hangs_on_keys() {
            return Ok(false);
        }
        if self.faults.has(Fault::SeqOutsideTheTransaction) {
            self.known = Some(batch.known.clone());
        }
        if batch.effects() > 0 {
            self.faults.reach(Point::BeforeWrite).await?;
            batch.file(filing, &self.limits);
            batch.store(&mut tx);
            if self.faults.has(Fault::PublishBeforeCommit) {
                self.publish(batch.changes.clone()).await;
            }
            self.writer
                .commit(tx, &batch.appended(), &self.faults)
                .await?;
        }
        Ok(true)
    }

    /// Makes a committed batch known on this node, in order, before anybody is answered.
    async fn publish(&mut self, changes: Vec<Change>) {
        let Some(head) = changes.last().map(|change| change.position) else {
            // The hub has its turn all the same: a commit does not let it in.
            tokio::task::yield_now().await;
            return;
        };
        self.profiles.forget_changed(&changes);
        self.heads[usize::from(self.shard)].store(head, Ordering::Release);
        self.publisher
            .publish(Commit {
                shard: self.shard,
                changes,
            })
            .await;
    }
}

fn fail(entries: Vec<Box<dyn Entry>>, failure: &Failure) {
    for entry in entries {
        entry.fail(failure.clone());
    }
}
