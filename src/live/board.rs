//! Passing states by topic, and who watches them: newest wins, and nobody waits for anybody.
//!
//! A watcher is not sent anything. It has a bell, and looks when it rings or when what it was told has run out: so a slow
//! one costs nothing, and what it sees is always the newest. Who may look is kept here as well, and changed by the hub in
//! the order of the log.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::Watch;
use crate::model::UserId;

/// Topics without a watcher are looked through for idle ones when there are so many.
const TOPICS_SWEPT_AT: usize = 1_024;

/// A passing state.
pub trait State: Default + Send + 'static {
    /// What it is about.
    type Topic: Copy + Eq + Hash + Send + Sync;
    /// How somebody sees it.
    type View: Clone + PartialEq + Send;

    /// How it looks to somebody now.
    fn view(&mut self, viewer: UserId, now: Instant) -> Self::View;

    /// When it will look otherwise although nothing happens.
    fn runs_out(&self, now: Instant) -> Option<Instant>;

    /// Whether there is nothing to see.
    fn is_idle(&self, now: Instant) -> bool;
}

pub(super) struct Watcher {
    user: UserId,
    /// Unknown until it was looked up; what the hub says meanwhile counts.
    pub(super) may_look: Option<bool>,
    bell: Arc<Notify>,
}

pub(super) struct Topic<S> {
    pub(super) state: S,
    pub(super) watchers: HashMap<u64, Watcher>,
}

impl<S: State> Topic<S> {
    fn ring(&self) {
        for watcher in self.watchers.values() {
            watcher.bell.notify_one();
        }
    }
}

pub(super) struct Topics<S: State> {
    pub(super) by_topic: HashMap<S::Topic, Topic<S>>,
    watchers: u64,
    swept_at: usize,
}

/// States by topic.
pub(super) struct Board<S: State> {
    topics: Mutex<Topics<S>>,
    topics_max: usize,
}

impl<S: State> Board<S> {
    /// A board with so many topics at most; who watches one keeps it beyond that.
    pub(super) fn new(topics_max: usize) -> Self {
        let topics = Topics {
            by_topic: HashMap::new(),
            watchers: 0,
            swept_at: TOPICS_SWEPT_AT,
        };
        Self {
            topics: Mutex::new(topics),
            topics_max,
        }
    }

    pub(super) fn topics(&self) -> MutexGuard<'_, Topics<S>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a state; when there are too many of them a new one is left out. Who watches looks again if `change` says
    /// that it changed something.
    pub(super) fn change(
        &self,
        about: S::Topic,
        now: Instant,
        change: impl FnOnce(&mut S) -> bool,
    ) {
        let mut topics = self.topics();
        topics.sweep(now, self.topics_max);
        let room = topics.by_topic.len() < self.topics_max;
        if !room && !topics.by_topic.contains_key(&about) {
            return;
        }
        let topic = topics.by_topic.entry(about).or_insert_with(|| Topic {
            state: S::default(),
            watchers: HashMap::new(),
        });
        if change(&mut topic.state) {
            topic.ring();
        }
    }

    /// Changes a state if there is one.
    pub(super) fn change_existing(&self, about: S::Topic, change: impl FnOnce(&mut S) -> bool) {
        if let Some(topic) = self.topics().by_topic.get_mut(&about)
            && change(&mut topic.state)
        {
            topic.ring();
        }
    }

    /// Says whether somebody may look from now on; everybody when nobody is named.
    pub(super) fn allow(&self, about: S::Topic, user: Option<UserId>, may_look: bool) {
        if let Some(topic) = self.topics().by_topic.get_mut(&about) {
            let named = |watcher: &&mut Watcher| user.is_none_or(|user| user == watcher.user);
            for watcher in topic.watchers.values_mut().filter(named) {
                watcher.may_look = Some(may_look);
                watcher.bell.notify_one();
            }
        }
    }

    /// How a state looks to somebody.
    pub(super) fn look(&self, about: S::Topic, viewer: UserId) -> Option<S::View> {
        let mut topics = self.topics();
        let topic = topics.by_topic.get_mut(&about)?;
        Some(topic.state.view(viewer, Instant::now()))
    }

    /// Begins to watch, before it is known who may look at what.
    pub(super) fn watch(
        self: &Arc<Self>,
        user: UserId,
        about: &[S::Topic],
        gap: Duration,
    ) -> Watch<S> {
        let bell = Arc::new(Notify::new());
        let mut topics = self.topics();
        topics.watchers += 1;
        let id = topics.watchers;
        for about in about {
            let topic = topics.by_topic.entry(*about).or_insert_with(|| Topic {
                state: S::default(),
                watchers: HashMap::new(),
            });
            let watcher = Watcher {
                user,
                may_look: None,
                bell: Arc::clone(&bell),
            };
            topic.watchers.insert(id, watcher);
        }
        Watch::new(Arc::clone(self), (id, user), bell, about, gap)
    }
}

impl<S: State> Topics<S> {
    /// Somebody watches a topic no more.
    pub(super) fn forget_watcher(&mut self, about: S::Topic, id: u64, now: Instant) {
        if let Some(topic) = self.by_topic.get_mut(&about) {
            topic.watchers.remove(&id);
            if topic.watchers.is_empty() && topic.state.is_idle(now) {
                self.by_topic.remove(&about);
            }
        }
    }

    fn sweep(&mut self, now: Instant, topics_max: usize) {
        if self.by_topic.len() >= self.swept_at.min(topics_max) {
            self.by_topic
                .retain(|_, topic| !topic.watchers.is_empty() || !topic.state.is_idle(now));
            self.swept_at = TOPICS_SWEPT_AT.max(self.by_topic.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{super::typing::Typers, *};
    use crate::{
        live::Typer,
        model::{ConversationId, Id},
    };

    const GAP: Duration = Duration::from_secs(1);
    const LIVES: Duration = Duration::from_secs(6);
    const REFRESH: Duration = Duration::from_secs(3);

    fn user(n: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn place(n: u128) -> ConversationId {
        ConversationId::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn types(board: &Board<Typers>, at: ConversationId, who: UserId) {
        let now = Instant::now();
        let typer = Typer {
            user: who,
            until: now + LIVES,
            pair: None,
        };
        board.change(at, now, |typers| {
            typers.sweep(now);
            typers.begin(typer, REFRESH)
        });
    }

    fn watch(board: &Arc<Board<Typers>>, places: &[ConversationId]) -> Watch<Typers> {
        board.watch(user(0), places, GAP)
    }

    async fn told(watch: &mut Watch<Typers>) -> Option<(ConversationId, usize)> {
        let (at, typing) = watch.next().await?;
        Some((at, typing.typers.len()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_is_told_once_a_second_and_gone_after_six() {
        let board = Arc::new(Board::new(10));
        let mut watch = watch(&board, &[place(1)]);
        watch.admit(&HashSet::from([place(1)]));
        let began = Instant::now();
        assert_eq!(
            told(&mut watch).await,
            Some((place(1), 0)),
            "the current state first"
        );
        types(&board, place(1), user(1));
        types(&board, place(1), user(2));
        assert_eq!(told(&mut watch).await, Some((place(1), 2)));
        assert_eq!(began.elapsed(), GAP, "and both at once");
        tokio::time::advance(Duration::from_secs(3)).await;
        types(&board, place(1), user(1));
        assert_eq!(
            told(&mut watch).await,
            Some((place(1), 2)),
            "said again is told again"
        );
        assert_eq!(told(&mut watch).await, Some((place(1), 1)));
        assert_eq!(began.elapsed(), LIVES, "who said nothing again is gone");
        assert_eq!(told(&mut watch).await, Some((place(1), 0)));
        assert_eq!(began.elapsed(), GAP + REFRESH + LIVES);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_said_again_too_soon_changes_nothing() {
        let board = Arc::new(Board::new(10));
        types(&board, place(1), user(1));
        let first = board.look(place(1), user(0));
        tokio::time::advance(Duration::from_millis(2_999)).await;
        types(&board, place(1), user(1));
        assert_eq!(board.look(place(1), user(0)), first);
        tokio::time::advance(Duration::from_millis(1)).await;
        types(&board, place(1), user(1));
        assert_ne!(board.look(place(1), user(0)), first);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_hub_says_counts_before_what_was_read() {
        let board = Arc::new(Board::new(10));
        let mut watch = watch(&board, &[place(1), place(2)]);
        board.allow(place(1), Some(user(0)), false);
        board.allow(place(2), Some(user(9)), false);
        watch.admit(&HashSet::from([place(1), place(2)]));
        assert_eq!(
            told(&mut watch).await,
            Some((place(2), 0)),
            "removed while it was read"
        );
        board.allow(place(1), Some(user(0)), true);
        assert_eq!(told(&mut watch).await, Some((place(1), 0)), "and back");
        board.allow(place(1), None, false);
        board.allow(place(2), Some(user(0)), false);
        assert_eq!(told(&mut watch).await, None, "nothing is left");
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_topic_hides_no_other_and_too_many_are_left_out() {
        let board = Arc::new(Board::new(2));
        let mut watch = board.watch(user(0), &[place(1), place(2)], Duration::ZERO);
        watch.admit(&HashSet::from([place(1), place(2)]));
        for _ in 0..3 {
            types(&board, place(1), user(1));
            types(&board, place(2), user(1));
            let both = [told(&mut watch).await, told(&mut watch).await];
            assert_ne!(both[0], both[1], "one each");
            tokio::time::advance(REFRESH).await;
        }
        types(&board, place(3), user(1));
        assert_eq!(board.look(place(3), user(0)), None);
    }
}
