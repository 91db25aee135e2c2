//! What was handed to one stream of events and not yet taken from it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::Item;
use crate::model::{ConversationId, Heads, Limits};

/// A change, and where the hub stood with it: everything up to there has been handed to everybody.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) item: Arc<Item>,
    pub(super) heads: Heads,
}

/// What a stream finds.
pub(super) enum Found {
    /// The next change.
    Entry(Entry),
    /// Nothing yet.
    Nothing,
    /// It took too little, or the hub lost something: from here the log tells.
    Lagged,
    /// The log has fewer changes than were told: nothing can be told from here.
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Lagged,
    Lost,
}

struct Queue {
    entries: VecDeque<Entry>,
    bytes: usize,
    state: State,
}

/// One stream's queue. It is bounded; when it is full it is emptied, for all that is in it is in the log.
pub(super) struct Inbox {
    queue: Mutex<Queue>,
    bell: Notify,
}

impl Inbox {
    /// One that nothing is handed to yet.
    pub(super) fn new() -> Self {
        let queue = Queue {
            entries: VecDeque::new(),
            bytes: 0,
            state: State::Lagged,
        };
        Self {
            queue: Mutex::new(queue),
            bell: Notify::new(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on everything is handed to it.
    pub(super) fn open(&self) {
        let mut queue = self.queue();
        queue.entries.clear();
        queue.bytes = 0;
        if queue.state == State::Lagged {
            queue.state = State::Open;
        }
    }

    fn close(&self, state: State) {
        let mut queue = self.queue();
        queue.entries = VecDeque::new();
        queue.bytes = 0;
        // What is gone does not come back.
        if queue.state != State::Lost {
            queue.state = state;
        }
        drop(queue);
        self.bell.notify_one();
    }

    /// Something may be missing from here on.
    pub(super) fn lag(&self) {
        self.close(State::Lagged);
    }

    /// What was told is gone.
    pub(super) fn lose(&self) {
        self.close(State::Lost);
    }

    pub(super) fn put(&self, entry: Entry, limits: &Limits) {
        let mut queue = self.queue();
        if queue.state != State::Open {
            return;
        }
        queue.bytes += entry.item.bytes();
        queue.entries.push_back(entry);
        let is_over =
            queue.entries.len() > limits.tail_news_max || queue.bytes > limits.tail_bytes_max;
        drop(queue);
        if is_over {
            self.lag();
        } else {
            self.bell.notify_one();
        }
    }

    /// Whether one more is too much.
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.queue().entries.len() >= limits.tail_news_max
    }

    /// Leaves out what is there of a conversation that may be read no longer.
    pub(super) fn leave_out(&self, conversation: ConversationId) {
        let mut queue = self.queue();
        let of = |entry: &Entry| entry.item.change.news.conversation() == Some(conversation);
        let bytes: usize = queue
            .entries
            .iter()
            .filter(|entry| of(entry))
            .map(|entry| entry.item.bytes())
            .sum();
        queue.bytes -= bytes;
        queue.entries.retain(|entry| !of(entry));
    }

    pub(super) fn take(&self) -> Found {
        let mut queue = self.queue();
        match queue.state {
            State::Lost => Found::Lost,
            State::Lagged => Found::Lagged,
            State::Open => match queue.entries.pop_front() {
                Some(entry) => {
                    queue.bytes -= entry.item.bytes();
                    // What a burst took is given back: most streams are idle most of the time.
                    if queue.entries.is_empty() {
                        queue.entries = VecDeque::new();
                    }
                    Found::Entry(entry)
                }
                None => Found::Nothing,
            },
        }
    }

    /// Whether all that was handed to it was taken.
    pub(super) fn is_up_to_date(&self) -> bool {
        let queue = self.queue();
        queue.state == State::Open && queue.entries.is_empty()
    }

    /// Whether what was told is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.queue().state == State::Lost
    }

    /// Whether everything since it was opened is in it.
    pub(super) fn is_open(&self) -> bool {
        self.queue().state == State::Open
    }

    /// Waits until there may be something.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }
}
