//! What was handed to one stream of events and not yet taken from it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{Frame, Item};
use crate::model::{ConversationId, Limits};

/// Room for as many changes is kept when they were taken; what a burst took beyond it is given back.
const ROOM_KEPT: usize = 4;

/// A change, and the frame that it is to everybody who was up to date: with where the hub stood with it, for everything up to
/// there has been handed to everybody.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) item: Arc<Item>,
    pub(super) frame: Arc<Frame>,
}

/// What a stream finds.
pub(super) enum Found {
    /// The next change.
    Entry(Entry),
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
    /// The stream's, while it waits. Under the lock, so to find nothing and to begin to wait are one step.
    waiting: Option<Waker>,
}

/// One stream's queue. It is bounded; when it is full it is emptied, for all that is in it is in the log.
pub(super) struct Inbox(Mutex<Queue>);

impl Inbox {
    /// One that nothing is handed to yet.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Queue {
            entries: VecDeque::new(),
            bytes: 0,
            state: State::Lagged,
            waiting: None,
        }))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        queue.close(state);
        wake(queue);
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
        if queue.entries.len() > limits.tail_news_max || queue.bytes > limits.tail_bytes_max {
            queue.close(State::Lagged);
        }
        wake(queue);
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

    /// Takes what is there, or has the stream woken when something is.
    pub(super) fn poll_take(&self, task: &mut Context<'_>) -> Poll<Found> {
        let mut queue = self.queue();
        match queue.state {
            State::Lost => return Poll::Ready(Found::Lost),
            State::Lagged => return Poll::Ready(Found::Lagged),
            State::Open => {}
        }
        if let Some(entry) = queue.entries.pop_front() {
            queue.bytes -= entry.item.bytes();
            if queue.entries.is_empty() && queue.entries.capacity() > ROOM_KEPT {
                queue.entries = VecDeque::new();
            }
            return Poll::Ready(Found::Entry(entry));
        }
        match &mut queue.waiting {
            Some(waker) => waker.clone_from(task.waker()),
            none => *none = Some(task.waker().clone()),
        }
        Poll::Pending
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
}

impl Queue {
    fn close(&mut self, state: State) {
        self.entries = VecDeque::new();
        self.bytes = 0;
        // What is gone does not come back.
        if self.state != State::Lost {
            self.state = state;
        }
    }
}

/// Who is woken looks at the queue.
fn wake(mut queue: MutexGuard<'_, Queue>) {
    let waiting = queue.waiting.take();
    drop(queue);
    if let Some(waker) = waiting {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        task::Wake,
    };

    use super::*;
    use crate::model::{Change, Id, News, Reach, Timestamp};

    fn entry() -> Entry {
        let news = News::ConversationUpdated {
            conversation: ConversationId::from_uuid(uuid::Uuid::nil()),
            reach: Reach::Everyone,
        };
        let item = Arc::new(Item::new(Change {
            shard: 0,
            position: 1,
            at: Timestamp::from_millis(0),
            news,
        }));
        let frame = Arc::new(Frame::for_all(Arc::clone(&item), [1].into()));
        Entry { item, frame }
    }

    struct Rang(AtomicBool);

    impl Wake for Rang {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// What a stream finds that waited before this happened, if it was woken by it.
    fn woken_by(happens: impl FnOnce(&Inbox)) -> Option<Found> {
        let (inbox, rang) = (Inbox::new(), Arc::new(Rang(AtomicBool::new(false))));
        let waker = Waker::from(Arc::clone(&rang));
        let mut task = Context::from_waker(&waker);
        inbox.open();
        assert!(inbox.poll_take(&mut task).is_pending());
        happens(&inbox);
        match inbox.poll_take(&mut task) {
            Poll::Ready(found) if rang.0.load(Ordering::Relaxed) => Some(found),
            Poll::Ready(_) | Poll::Pending => None,
        }
    }

    #[test]
    fn a_stream_that_waits_is_woken_whatever_happens() {
        let limits = Limits::default();
        let found = woken_by(|inbox| inbox.put(entry(), &limits));
        assert!(matches!(found, Some(Found::Entry(_))));
        let tiny = Limits {
            tail_news_max: 0,
            ..Limits::default()
        };
        let found = woken_by(|inbox| inbox.put(entry(), &tiny));
        assert!(matches!(found, Some(Found::Lagged)), "it is too much");
        assert!(matches!(woken_by(Inbox::lag), Some(Found::Lagged)));
        assert!(matches!(woken_by(Inbox::lose), Some(Found::Lost)));
    }

    #[test]
    fn what_a_burst_took_is_given_back_and_a_little_is_kept() {
        let (inbox, limits) = (Inbox::new(), Limits::default());
        inbox.open();
        let room_after = |count: usize| {
            (0..count).for_each(|_| inbox.put(entry(), &limits));
            let mut task = Context::from_waker(Waker::noop());
            while inbox.poll_take(&mut task).is_ready() {}
            inbox.queue().entries.capacity()
        };
        assert!((1..=ROOM_KEPT).contains(&room_after(1)));
        assert_eq!(room_after(ROOM_KEPT + 1), 0);
    }
}
