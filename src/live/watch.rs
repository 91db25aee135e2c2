//! Somebody's watch over some topics of a board: when to look, what was told, how often.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::{sync::Notify, time::Instant};

use super::board::{Board, State};
use crate::model::UserId;

/// What a watcher was told of a topic, last time.
struct LastTold<S: State> {
    about: S::Topic,
    view: Option<S::View>,
    at: Option<Instant>,
}

/// Somebody's watch over some topics.
pub struct Watch<S: State> {
    board: Arc<Board<S>>,
    id: u64,
    user: UserId,
    bell: Arc<Notify>,
    told: Vec<LastTold<S>>,
    /// By how many the list is turned at the next look, so that the one told last lies at its end.
    rotate_by: usize,
    /// Time between two tellings of one topic.
    gap: Duration,
}

/// What a watcher finds.
enum Look<S: State> {
    Changed(S::Topic, S::View),
    /// Nothing yet; by itself it changes then.
    Same(Option<Instant>),
    /// There is nothing left that they may look at.
    Nothing,
}

impl<S: State> Watch<S> {
    pub(super) fn new(
        board: Arc<Board<S>>,
        (id, user): (u64, UserId),
        bell: Arc<Notify>,
        about: &[S::Topic],
        gap: Duration,
    ) -> Self {
        let told = |about: &S::Topic| LastTold {
            about: *about,
            view: None,
            at: None,
        };
        Self {
            board,
            id,
            user,
            bell,
            told: about.iter().map(told).collect(),
            rotate_by: 0,
            gap,
        }
    }

    /// Says at which topics the watcher may look, as it was read after the watch began; what the hub said since counts
    /// before it. The others are let go: what nobody may look at is not kept for them.
    pub fn admit(&mut self, allowed: &HashSet<S::Topic>) {
        let mut topics = self.board.topics();
        let (id, now) = (self.id, Instant::now());
        self.told.retain(|told| {
            let topic = topics.by_topic.get_mut(&told.about);
            let watcher = topic.and_then(|topic| topic.watchers.get_mut(&id));
            let Some(watcher) = watcher else { return false };
            let is_kept = watcher.may_look.is_some() || allowed.contains(&told.about);
            if is_kept {
                watcher.may_look.get_or_insert(true);
            } else {
                topics.forget_watcher(told.about, id, now);
            }
            is_kept
        });
    }

    /// The next state that was not told yet; none when there is nothing left to look at.
    pub async fn next(&mut self) -> Option<(S::Topic, S::View)> {
        loop {
            match self.look(Instant::now()) {
                Look::Changed(about, view) => return Some((about, view)),
                Look::Nothing => return None,
                Look::Same(None) => self.bell.notified().await,
                Look::Same(Some(at)) => {
                    // Whichever comes first; then it looks again.
                    drop(tokio::time::timeout_at(at, self.bell.notified()).await);
                }
            }
        }
    }

    fn look(&mut self, now: Instant) -> Look<S> {
        let mut topics = self.board.topics();
        let (mut again, mut is_left) = (None, false);
        // So that a busy topic does not hide the others.
        self.told.rotate_left(self.rotate_by);
        self.rotate_by = 0;
        for (n, told) in self.told.iter_mut().enumerate() {
            let Some(topic) = topics.by_topic.get_mut(&told.about) else {
                continue;
            };
            let watcher = topic.watchers.get(&self.id);
            if watcher.and_then(|watcher| watcher.may_look) != Some(true) {
                told.view = None;
                continue;
            }
            is_left = true;
            let view = topic.state.view(self.user, now);
            let mut then = topic.state.runs_out(now);
            if told.view.as_ref() != Some(&view) {
                let due = told.at.map(|at| at + self.gap);
                if due.is_none_or(|due| due <= now) {
                    told.view = Some(view.clone());
                    told.at = Some(now);
                    self.rotate_by = n + 1;
                    return Look::Changed(told.about, view);
                }
                then = due;
            }
            again = [again, then].into_iter().flatten().min();
        }
        if is_left {
            Look::Same(again)
        } else {
            Look::Nothing
        }
    }
}

impl<S: State> Drop for Watch<S> {
    fn drop(&mut self) {
        let (mut topics, now) = (self.board.topics(), Instant::now());
        for told in &self.told {
            topics.forget_watcher(told.about, self.id, now);
        }
    }
}
