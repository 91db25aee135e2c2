//! The newest news of one conversation, as far as listeners may still have to take them.
//!
//! One ring serves all listeners of a conversation: each has its own place in it and takes at its own pace, so there is
//! no queue per listener to fill up. Who falls off its end reads the log.
//!
//! Whoever finds nothing leaves a waker beside the ring, under the ring's lock: so to look and to begin to wait are one step,
//! and what a delivery costs each listener is little else.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use slab::Slab;

use super::Item;
use crate::model::Limits;

/// What a listener finds at its place.
#[derive(Debug)]
pub(super) enum Taken {
    /// The next news.
    Item(Arc<Item>),
    /// It came too late: the ring has gone on. Its place is now behind the newest news.
    Lagged,
}

/// A listener's own: where it is, and which waker is its.
#[derive(Debug)]
pub(super) struct Place {
    /// The place of the news that it takes next.
    next: u64,
    waiting: usize,
}

struct Ring {
    items: VecDeque<Arc<Item>>,
    /// Place of the oldest item.
    first: u64,
    bytes: usize,
    /// By listener: the waker of each that waits.
    waiting: Slab<Option<Waker>>,
    /// How many do.
    wakers: usize,
}

impl Ring {
    fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    fn take_wakers(&mut self) -> Vec<Waker> {
        if self.wakers == 0 {
            return Vec::new();
        }
        let mut wakers = Vec::with_capacity(self.wakers);
        self.wakers = 0;
        wakers.extend(
            self.waiting
                .iter_mut()
                .filter_map(|(_, waker)| waker.take()),
        );
        wakers
    }
}

pub(super) struct Tail(Mutex<Ring>);

impl Tail {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Ring {
            items: VecDeque::new(),
            first: 0,
            bytes: 0,
            waiting: Slab::new(),
            wakers: 0,
        }))
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, item: Arc<Item>, limits: &Limits) {
        let mut ring = self.ring();
        ring.bytes += item.bytes();
        ring.items.push_back(item);
        while ring.items.len() > limits.tail_news_max || ring.bytes > limits.tail_bytes_max {
            let Some(oldest) = ring.items.pop_front() else {
                break;
            };
            ring.bytes -= oldest.bytes();
            ring.first += 1;
        }
        let waiting = ring.take_wakers();
        // Those who are woken look at the ring.
        drop(ring);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Something is missing from here on: whoever listens reads the log.
    pub(super) fn lag(&self) {
        let mut ring = self.ring();
        // A place that nobody was given: every listener's lies before it.
        ring.first = ring.end() + 1;
        ring.items.clear();
        ring.bytes = 0;
        let waiting = ring.take_wakers();
        drop(ring);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Takes what lies at a listener's place, or has it woken when something does.
    pub(super) fn poll_take(&self, place: &mut Place, task: &mut Context<'_>) -> Poll<Taken> {
        let mut ring = self.ring();
        let Some(index) = place.next.checked_sub(ring.first) else {
            place.next = ring.end();
            return Poll::Ready(Taken::Lagged);
        };
        let item = usize::try_from(index)
            .ok()
            .and_then(|index| ring.items.get(index));
        if let Some(item) = item {
            place.next += 1;
            return Poll::Ready(Taken::Item(Arc::clone(item)));
        }
        let Ring {
            waiting, wakers, ..
        } = &mut *ring;
        match waiting.get_mut(place.waiting) {
            Some(Some(waker)) => waker.clone_from(task.waker()),
            Some(none) => {
                *none = Some(task.waker().clone());
                *wakers += 1;
            }
            None => {}
        }
        Poll::Pending
    }

    /// The place where the next news will be; to be [left](Self::leave).
    pub(super) fn listen(&self) -> Place {
        let mut ring = self.ring();
        Place {
            next: ring.end(),
            waiting: ring.waiting.insert(None),
        }
    }

    /// Listens no longer.
    pub(super) fn leave(&self, place: &Place) {
        let mut ring = self.ring();
        if ring.waiting.try_remove(place.waiting).flatten().is_some() {
            ring.wakers -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::model::{Change, ConversationId, Id, News, Reach, Timestamp};

    fn news(position: i64) -> Arc<Item> {
        let conversation = ConversationId::from_uuid(uuid::Uuid::nil());
        let news = News::ConversationUpdated {
            conversation,
            reach: Reach::Everyone,
        };
        Arc::new(Item::new(Change {
            shard: 0,
            position,
            at: Timestamp::from_millis(0),
            news,
        }))
    }

    fn take(tail: &Tail, place: &mut Place) -> Poll<Option<i64>> {
        let mut task = Context::from_waker(Waker::noop());
        tail.poll_take(place, &mut task).map(|taken| match taken {
            Taken::Item(item) => Some(item.change.position),
            Taken::Lagged => None,
        })
    }

    #[test]
    fn each_listener_takes_at_its_own_pace() {
        let (tail, limits) = (Tail::new(), Limits::default());
        let mut one = tail.listen();
        assert_eq!(take(&tail, &mut one), Poll::Pending);
        tail.push(news(1), &limits);
        let mut other = tail.listen();
        tail.push(news(2), &limits);
        assert_eq!(take(&tail, &mut one), Poll::Ready(Some(1)));
        assert_eq!(take(&tail, &mut one), Poll::Ready(Some(2)));
        assert_eq!(take(&tail, &mut other), Poll::Ready(Some(2)));
        assert_eq!(take(&tail, &mut one), Poll::Pending);
    }

    #[test]
    fn who_is_too_slow_goes_on_behind_the_newest() {
        let limits = Limits {
            tail_news_max: 2,
            ..Limits::default()
        };
        let tail = Tail::new();
        let mut place = tail.listen();
        (1..=5).for_each(|position| tail.push(news(position), &limits));
        assert_eq!(take(&tail, &mut place), Poll::Ready(None));
        assert_eq!(take(&tail, &mut place), Poll::Pending);
        tail.push(news(6), &limits);
        assert_eq!(take(&tail, &mut place), Poll::Ready(Some(6)));
        tail.lag();
        assert_eq!(take(&tail, &mut place), Poll::Ready(None));
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_what_comes_and_by_what_was_lost() {
        let (tail, limits) = (Tail::new(), Limits::default());
        let mut place = tail.listen();
        let waits = poll_fn(|task| tail.poll_take(&mut place, task));
        let comes = async { tail.push(news(1), &limits) };
        let (taken, ()) = tokio::join!(waits, comes);
        assert!(matches!(taken, Taken::Item(_)));
        let waits = poll_fn(|task| tail.poll_take(&mut place, task));
        let lost = async { tail.lag() };
        let (taken, ()) = tokio::join!(waits, lost);
        assert!(matches!(taken, Taken::Lagged));
        tail.leave(&place);
        assert_eq!(
            tail.ring().waiting.len(),
            0,
            "nothing is kept for who has left"
        );
    }
}
