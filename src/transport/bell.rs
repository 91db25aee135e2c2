//! A part of a task that is asked only when it rang.
//!
//! A socket's task waits for its client, for each of its operations, and for its own end. Whatever wakes it, asking all of
//! them costs more than what the one has to tell: a client's bytes are looked for in a buffer of 2 KiB that is cleared first.
//! So each has a bell between itself and the task, and who did not ring is not asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::task::AtomicWaker;

struct Rope {
    rang: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rang.store(true, Ordering::Release);
        self.task.wake();
    }
}

/// Between a part of a task and the task.
pub(super) struct Bell {
    rope: Arc<Rope>,
    pull: Waker,
}

impl Bell {
    /// One that rings: its part was never asked.
    pub(super) fn new() -> Self {
        let rope = Arc::new(Rope {
            rang: AtomicBool::new(true),
            task: AtomicWaker::new(),
        });
        let pull = Waker::from(Arc::clone(&rope));
        Self { rope, pull }
    }

    /// Has its part asked again, although nothing happened to it by itself.
    pub(super) fn ring(&self) {
        self.rope.rang.store(true, Ordering::Release);
    }

    /// Asks its part, if it rang. It goes on ringing as long as there is an answer.
    pub(super) fn poll<T>(
        &self,
        task: &mut Context<'_>,
        ask: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // In this order: who rings between the two is heard, now or when the task wakes.
        self.rope.task.register(task.waker());
        if !self.rope.rang.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let answer = ask(&mut Context::from_waker(&self.pull));
        if answer.is_ready() {
            self.ring();
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, pin::pin};

    use futures_util::{FutureExt, StreamExt, stream};
    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn who_did_not_ring_is_not_asked() {
        let (bell, asked) = (Bell::new(), Cell::new(0));
        let mut task = Context::from_waker(Waker::noop());
        let mut ask = |answer| {
            bell.poll(&mut task, |_| {
                asked.set(asked.get() + 1);
                answer
            })
        };
        assert_eq!(ask(Poll::Ready(1)), Poll::Ready(1));
        assert_eq!(ask(Poll::<i32>::Pending), Poll::Pending);
        assert_eq!(asked.get(), 2);
        assert_eq!(ask(Poll::Ready(2)), Poll::Pending);
        assert_eq!(asked.get(), 2, "nothing rang");
        bell.ring();
        assert_eq!(ask(Poll::Ready(2)), Poll::Ready(2));
    }

    #[tokio::test]
    async fn whoever_rings_wakes_the_task() {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let bell = Bell::new();
        let mut told = stream::poll_fn(|task| bell.poll(task, |part| receiver.poll_recv(part)));
        let mut told = pin!(told.next());
        assert_eq!(told.as_mut().now_or_never(), None);
        let ringing = async {
            tokio::task::yield_now().await;
            assert!(sender.send("news").is_ok());
        };
        let (heard, ()) = tokio::join!(told, ringing);
        assert_eq!(heard, Some("news"));
    }
}
