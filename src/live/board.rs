//! Passing states by topic, and who watches them: newest wins, and nobody waits for anybody.
//!
//! A watcher is not sent anything. It has a bell, and looks when it rings or when what it was told has run out: so a slow
//! one costs nothing, and what it sees is always the newest. Who may look is kept here as well, and changed by the hub in
//! the order of the log.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

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
    fn view(&self, viewer: UserId, now: Instant) -> Self::View;

    /// When it will look otherwise although nothing happens.
    fn runs_out(&self, now: Instant) -> Option<Instant>;

    /// Whether there is nothing to see.
    fn is_idle(&self, now: Instant) -> bool;
}

struct Watcher {
    user: UserId,
    /// Unknown until it was looked up; what the hub says meanwhile counts.
    may_look: Option<bool>,
    bell: Arc<Notify>,
}

struct Topic<S> {
    state: S,
    watchers: HashMap<u64, Watcher>,
}

impl<S: State> Topic<S> {
    fn ring(&self) {
        for watcher in self.watchers.values() {
            watcher.bell.notify_one();
        }
    }
}

struct Topics<S: State> {
    by_topic: HashMap<S::Topic, Topic<S>>,
    watchers: u64,
    swept_at: usize,
}

/// States by topic.
pub(super) struct Board<S: State> {
    topics: Mutex<Topics<S>>,
    topics_max: usize,
}

impl<S: State> Board<S> {
    /// A board with so many topics at most, those that are watched not counted.
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

    fn topics(&self) -> MutexGuard<'_, Topics<S>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a state; when there are too many of them a new one is left out.
    pub(super) fn change(&self, about: S::Topic, now: Instant, change: impl FnOnce(&mut S)) {
        let mut topics = self.topics();
        topics.sweep(now);
        let room = topics.by_topic.len() < self.topics_max;
        if !room && !topics.by_topic.contains_key(&about) {
            return;
        }
        let topic = topics.by_topic.entry(about).or_insert_with(|| Topic {
            state: S::default(),
            watchers: HashMap::new(),
        });
        change(&mut topic.state);
        topic.ring();
    }

    /// Changes a state if there is one.
    pub(super) fn change_existing(&self, about: S::Topic, change: impl FnOnce(&mut S)) {
        if let Some(topic) = self.topics().by_topic.get_mut(&about) {
            change(&mut topic.state);
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
        let topics = self.topics();
        let topic = topics.by_topic.get(&about)?;
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
        let told = |about: &S::Topic| Told {
            about: *about,
            view: None,
            at: None,
        };
        Watch {
            board: Arc::clone(self),
            id,
            user,
            bell,
            told: about.iter().map(told).collect(),
            told_last: 0,
            gap,
        }
    }
}

impl<S: State> Topics<S> {
    fn sweep(&mut self, now: Instant) {
        if self.by_topic.len() >= self.swept_at {
            self.by_topic
                .retain(|_, topic| !topic.watchers.is_empty() || !topic.state.is_idle(now));
            self.swept_at = TOPICS_SWEPT_AT.max(self.by_topic.len() * 2);
        }
    }
}

/// What a watcher was told of a topic.
struct Told<S: State> {
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
    told: Vec<Told<S>>,
    /// How many lie before the end of the one that was told last.
    told_last: usize,
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
    /// Says at which topics the watcher may look, as it was read after the watch began; what the hub said since counts
    /// before it.
    pub fn admit(&self, allowed: &HashSet<S::Topic>) {
        let mut topics = self.board.topics();
        for told in &self.told {
            let topic = topics.by_topic.get_mut(&told.about);
            if let Some(watcher) = topic.and_then(|topic| topic.watchers.get_mut(&self.id)) {
                let may_look = allowed.contains(&told.about);
                watcher.may_look = Some(watcher.may_look.unwrap_or(may_look));
            }
        }
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
        let topics = self.board.topics();
        let (mut again, mut is_left) = (None, false);
        // The one that was told last goes to the end, so that a busy topic does not hide the others.
        self.told.rotate_left(self.told_last);
        self.told_last = 0;
        for (n, told) in self.told.iter_mut().enumerate() {
            let Some(topic) = topics.by_topic.get(&told.about) else {
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
                    self.told_last = n + 1;
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
            if let Some(topic) = topics.by_topic.get_mut(&told.about) {
                topic.watchers.remove(&self.id);
                if topic.watchers.is_empty() && topic.state.is_idle(now) {
                    topics.by_topic.remove(&told.about);
                }
            }
        }
    }
}
