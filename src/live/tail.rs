//! The newest news of one conversation, as far as listeners may still have to take them.
//!
//! One ring serves all listeners of a conversation: each has its own place in it and takes at its own pace, so there is
//! no queue per listener to fill up. Who falls off its end reads the log.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use super::Item;
use crate::model::Limits;

/// What a listener finds at its place.
pub(super) enum Taken {
    /// The next news.
    Item(Arc<Item>),
    /// Nothing yet.
    Nothing,
    /// It came too late: the ring has gone on, and ends here.
    Lagged {
        /// The place after the newest news.
        end: u64,
    },
}

struct Ring {
    items: VecDeque<Arc<Item>>,
    /// Place of the oldest item.
    first: u64,
    bytes: usize,
}

pub(super) struct Tail {
    ring: Mutex<Ring>,
    /// The place after the newest item; wakes listeners.
    end: watch::Sender<u64>,
}

impl Tail {
    pub(super) fn new() -> Self {
        let ring = Ring {
            items: VecDeque::new(),
            first: 0,
            bytes: 0,
        };
        Self {
            ring: Mutex::new(ring),
            end: watch::Sender::new(0),
        }
    }

    pub(super) fn push(&self, item: Arc<Item>, limits: &Limits) {
        let end = {
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            ring.bytes += item.bytes();
            ring.items.push_back(item);
            while ring.items.len() > limits.tail_news_max || ring.bytes > limits.tail_bytes_max {
                let Some(oldest) = ring.items.pop_front() else {
                    break;
                };
                ring.bytes -= oldest.bytes();
                ring.first += 1;
            }
            ring.first + ring.items.len() as u64
        };
        self.end.send_replace(end);
    }

    /// Something is missing from here on: whoever listens reads the log.
    pub(super) fn lag(&self) {
        let end = {
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            // A place that nobody was given: every listener's lies before it.
            ring.first += ring.items.len() as u64 + 1;
            ring.items.clear();
            ring.bytes = 0;
            ring.first
        };
        self.end.send_replace(end);
    }

    pub(super) fn take(&self, place: u64) -> Taken {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(index) = place.checked_sub(ring.first) else {
            return Taken::Lagged {
                end: ring.first + ring.items.len() as u64,
            };
        };
        let item = usize::try_from(index)
            .ok()
            .and_then(|index| ring.items.get(index));
        item.map_or(Taken::Nothing, |item| Taken::Item(Arc::clone(item)))
    }

    /// The place where the next news will be, and the bell that rings for it.
    pub(super) fn listen(&self) -> (u64, watch::Receiver<u64>) {
        let bell = self.end.subscribe();
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        (ring.first + ring.items.len() as u64, bell)
    }
}

#[cfg(test)]
mod tests {
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

    fn position(taken: &Taken) -> Option<i64> {
        match taken {
            Taken::Item(item) => Some(item.change.position),
            Taken::Nothing | Taken::Lagged { .. } => None,
        }
    }

    #[test]
    fn each_listener_takes_at_its_own_pace() {
        let (tail, limits) = (Tail::new(), Limits::default());
        let (place, _) = tail.listen();
        assert!(matches!(tail.take(place), Taken::Nothing));
        tail.push(news(1), &limits);
        tail.push(news(2), &limits);
        assert_eq!(position(&tail.take(place)), Some(1));
        assert_eq!(position(&tail.take(place + 1)), Some(2));
        assert!(matches!(tail.take(place + 2), Taken::Nothing));
    }

    #[test]
    fn who_is_too_slow_is_told_where_the_ring_ends() {
        let limits = Limits {
            tail_news_max: 2,
            ..Limits::default()
        };
        let tail = Tail::new();
        let (place, bell) = tail.listen();
        (1..=5).for_each(|position| tail.push(news(position), &limits));
        assert!(matches!(tail.take(place), Taken::Lagged { end: 5 }));
        assert_eq!(position(&tail.take(4)), Some(5));
        assert_eq!(*bell.borrow(), 5);
    }
}
