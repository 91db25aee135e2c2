//! Writes of every sort in one queue: each entry carries its write, and the way back to whoever waits.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{Batch, Needs, Write, WriteError};

type Answer<W> = Result<<W as Write>::Outcome, WriteError<<W as Write>::Refusal>>;

/// How a write ended without being decided.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// Nothing was written; soon it may be.
    Busy,
    /// It may or may not have been written.
    Unknown,
    /// Nothing was written.
    Failed(Arc<crate::store::Error>),
}

/// A queued write, whatever its sort.
pub(super) trait Entry: Send {
    fn needs(&self, needs: &mut Needs);
    /// Decides, and keeps the decision for [`answer`](Self::answer). May be called again if the transaction is.
    fn decide(&mut self, batch: &mut Batch);
    /// Tells the decision; only after it was committed.
    fn answer(self: Box<Self>);
    fn fail(self: Box<Self>, failure: Failure);
    fn bytes(&self) -> usize;
}

/// A write, and who waits for it.
pub(super) struct Queued<W: Write> {
    write: W,
    decision: Option<Result<W::Outcome, W::Refusal>>,
    reply: oneshot::Sender<Answer<W>>,
    /// Its bytes among those that may wait; given back with it.
    _room: OwnedSemaphorePermit,
}

/// Where the answer will come.
pub(super) type Waiting<W> = oneshot::Receiver<Answer<W>>;

impl<W: Write> Queued<W> {
    pub(super) fn new(write: W, room: OwnedSemaphorePermit) -> (Self, Waiting<W>) {
        let (reply, answer) = oneshot::channel();
        let entry = Self {
            write,
            decision: None,
            reply,
            _room: room,
        };
        (entry, answer)
    }

    pub(super) fn last_byte(&self) -> u8 {
        self.write.last_byte()
    }

    fn reply(self, answer: Answer<W>) {
        // Who asked may have gone away; what was decided holds all the same.
        drop(self.reply.send(answer));
    }
}

impl<W: Write> Entry for Queued<W> {
    fn needs(&self, needs: &mut Needs) {
        self.write.needs(needs);
    }

    fn decide(&mut self, batch: &mut Batch) {
        let before = batch.effects();
        let decision = self.write.decide(batch);
        debug_assert!(
            decision.is_ok() || batch.effects() == before,
            "a refused write left something behind"
        );
        self.decision = Some(decision);
    }

    fn answer(mut self: Box<Self>) {
        match self.decision.take() {
            Some(decision) => self.reply(decision.map_err(WriteError::Refused)),
            None => self.reply(Err(WriteError::Unknown)),
        }
    }

    fn fail(self: Box<Self>, failure: Failure) {
        self.reply(Err(match failure {
            Failure::Busy => WriteError::Busy,
            Failure::Unknown => WriteError::Unknown,
            Failure::Failed(error) => WriteError::Failed(error),
        }));
    }

    fn bytes(&self) -> usize {
        self.write.bytes()
    }
}
