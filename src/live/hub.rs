//! The hub: one task that takes every committed change, in order, and every signal, to those on this node who follow it.

use std::{
    future::poll_fn,
    hash::Hash,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use foldhash::{HashMap, HashMapExt};
use tokio_util::sync::CancellationToken;

use super::{
    Item, PresenceClaim, PresenceFeed, TypingFeed, TypingSignal,
    audience::Audience,
    catch_up::{Reading, Waiting},
    signals::Signals,
    tail::{Place, Tail, Taken},
};
use crate::{
    bus::{COMMITS_MAX, Commit, Subscriber},
    fault::Faults,
    model::{Change, ConversationId, Limits, News, Position, SessionId, Shard, UserId},
};

/// Something shared by those who hold it, and gone with the last of them.
struct Shared<V> {
    value: Arc<V>,
    holders: usize,
}

/// Values by key, each for as long as somebody holds it.
pub(super) struct Registry<K, V>(Mutex<HashMap<K, Shared<V>>>);

impl<K: Copy + Eq + Hash, V> Registry<K, V> {
    fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    fn get(&self, key: K) -> Option<Arc<V>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .map(|shared| Arc::clone(&shared.value))
    }

    fn hold(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = map.entry(key).or_insert_with(|| Shared {
            value: Arc::new(make()),
            holders: 0,
        });
        shared.holders += 1;
        Arc::clone(&shared.value)
    }

    fn release(&self, key: K) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = map.get_mut(&key) {
            shared.holders -= 1;
            if shared.holders == 0 {
                map.remove(&key);
            }
        }
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn keys(&self) -> Vec<K> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.keys().copied().collect()
    }

    fn all(&self) -> Vec<Arc<V>> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.values()
            .map(|shared| Arc::clone(&shared.value))
            .collect()
    }
}

/// Who listens on this node.
pub struct Hub {
    tails: Registry<ConversationId, Tail>,
    sessions: Registry<SessionId, CancellationToken>,
    audience: Mutex<Audience>,
    /// Whether changes were lost on the way, and with them the end of a session perhaps.
    has_lost: AtomicBool,
    pub(super) reading: Reading,
    pub(super) faults: Faults,
    pub(super) signals: Signals,
    pub(super) limits: Arc<Limits>,
}

impl Hub {
    /// A hub that nobody listens to yet, of a log that stands at `heads`; and those who wait for its [`LogReader`](super::LogReader).
    pub fn new(limits: Arc<Limits>, heads: &[Position], faults: Faults) -> (Self, Waiting) {
        let (reading, waiting) = Reading::new();
        let hub = Self {
            reading,
            tails: Registry::new(),
            sessions: Registry::new(),
            audience: Mutex::new(Audience::new(heads, Arc::clone(&limits), faults.clone())),
            has_lost: AtomicBool::new(false),
            faults,
            signals: Signals::new(Arc::clone(&limits)),
            limits,
        };
        (hub, waiting)
    }

    /// Hands changes and signals on until every writer has stopped. Changes go first: a signal waits until none is
    /// on the way, or until as many have passed as could have been when it was raised.
    pub async fn run(self: Arc<Self>, mut subscriber: Subscriber) {
        let mut commits = 0;
        loop {
            if commits == COMMITS_MAX {
                self.signals.take_due();
                commits = 0;
            }
            tokio::select! {
                biased;
                commit = subscriber.next() => {
                    let Some(commit) = commit else { break };
                    commits += 1;
                    self.take(commit);
                }
                () = self.signals.raised() => {
                    self.signals.take();
                    commits = 0;
                    // Raised again and again it would leave no turn to the writer, whose thread this is.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Hands on what is new of a commit. The bus is a hint: what it brings twice is known, and what it lost is in the log.
    pub fn take(&self, commit: Commit) {
        let head = self.audience().head(commit.shard);
        let first = commit
            .changes
            .first()
            .map_or(head, |change| change.position);
        if first > head + 1 {
            self.lag(commit.shard, first - 1);
        }
        for change in commit.changes {
            // What it ends is ended however late it comes.
            self.end(&change);
            if change.position > head {
                self.deliver(change);
            }
        }
    }

    /// Ends what somebody may see or do no longer.
    fn end(&self, change: &Change) {
        self.signals.note(change);
        if let News::SessionEnded { session, .. } = change.news {
            self.end_session(session);
        }
    }

    fn deliver(&self, change: Change) {
        let conversation = change.news.conversation();
        let item = Arc::new(Item::new(change));
        self.audience().deliver(&item);
        if let Some(conversation) = conversation
            && let Some(tail) = self.tails.get(conversation)
        {
            tail.push(item, &self.limits);
        }
    }

    /// Changes of a shard were lost on the way, up to this position: whoever listens reads them in the log.
    fn lag(&self, shard: Shard, until: Position) {
        if !self.audience().lag(shard, until) {
            return;
        }
        tracing::warn!(
            shard,
            until,
            "changes were lost on the way here; listeners read the log"
        );
        self.has_lost.store(true, Ordering::Relaxed);
        for tail in self.tails.all() {
            tail.lag();
        }
    }

    /// The sessions that somebody is connected with, when changes were lost since this was asked last: one of these may
    /// have ended.
    pub(super) fn sessions_in_doubt(&self) -> Vec<SessionId> {
        if self.has_lost.swap(false, Ordering::Relaxed) {
            self.sessions.keys()
        } else {
            Vec::new()
        }
    }

    /// Whether sessions have ended could not be found out.
    pub(super) fn doubt_sessions(&self) {
        self.has_lost.store(true, Ordering::Relaxed);
    }

    /// A session has ended.
    pub(super) fn end_session(&self, session: SessionId) {
        if let Some(end) = self.sessions.get(session) {
            end.cancel();
        }
    }

    /// Whether anybody would miss a change.
    pub(super) fn is_listened_to(&self) -> bool {
        self.audience().is_listened_to() || self.tails.len() > 0 || self.sessions.len() > 0
    }

    /// The log stood here a moment ago: what did not come by now was lost.
    pub fn find_lost(&self, heads: &[Position]) {
        for (shard, head) in (0..).zip(heads) {
            self.lag(shard, *head);
        }
    }

    /// The log has fewer changes than were told, so it is not the one that they were told from.
    pub fn lose(&self, heads: &[Position]) {
        tracing::error!("the log has lost changes; every client is told to load anew");
        self.audience().lose(heads);
        for tail in self.tails.all() {
            tail.lag();
        }
    }

    pub(super) fn audience(&self) -> MutexGuard<'_, Audience> {
        self.audience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a device of somebody is connected, for as long as this is held.
    pub fn claim_presence(self: &Arc<Self>, user: UserId) -> PresenceClaim {
        PresenceClaim::new(self, user)
    }

    /// Whether a device of somebody is connected, or was just now.
    pub fn is_present(&self, user: UserId) -> bool {
        self.signals.presence.look(user, user).unwrap_or(false)
    }

    /// Begins to watch who of these people is there; [`admit`](super::PresenceFeed::admit) those whom `viewer` may see.
    pub fn watch_presence(&self, viewer: UserId, people: &[UserId]) -> PresenceFeed {
        self.signals.presence.watch(viewer, people, Duration::ZERO)
    }

    /// Says that somebody types, or has stopped.
    pub fn signal_typing(&self, conversation: ConversationId, user: UserId, signal: TypingSignal) {
        self.signals.type_in(conversation, user, signal);
    }

    /// Begins to watch who types; [`admit`](super::TypingFeed::admit) the conversations that `viewer` may read.
    pub fn watch_typing(&self, viewer: UserId, conversations: &[ConversationId]) -> TypingFeed {
        let gap = self.limits.typing_told_every;
        self.signals.typing.watch(viewer, conversations, gap)
    }

    /// A bell that rings when the session ends.
    pub fn watch_session(self: &Arc<Self>, session: SessionId) -> SessionWatch {
        let end = self.sessions.hold(session, CancellationToken::new);
        SessionWatch {
            hub: Arc::clone(self),
            session,
            end,
        }
    }

    pub(super) fn hold_tail(self: &Arc<Self>, conversation: ConversationId) -> HeldTail {
        let tail = self.tails.hold(conversation, Tail::new);
        HeldTail {
            hub: Arc::clone(self),
            conversation,
            place: tail.listen(),
            tail,
        }
    }

    /// How many conversations and sessions somebody listens to now.
    pub fn listened_to(&self) -> (usize, usize) {
        (self.tails.len(), self.sessions.len())
    }
}

/// A conversation's tail, kept while it is held, and a place in it.
pub(super) struct HeldTail {
    hub: Arc<Hub>,
    conversation: ConversationId,
    tail: Arc<Tail>,
    place: Place,
}

impl HeldTail {
    /// The next news.
    pub(super) async fn take(&mut self) -> Taken {
        poll_fn(|task| self.tail.poll_take(&mut self.place, task)).await
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.hub.limits
    }
}

impl Drop for HeldTail {
    fn drop(&mut self) {
        self.tail.leave(&self.place);
        self.hub.tails.release(self.conversation);
    }
}

/// Tells when a session ends.
pub struct SessionWatch {
    hub: Arc<Hub>,
    session: SessionId,
    end: Arc<CancellationToken>,
}

impl SessionWatch {
    /// Waits until the session ends.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        CancellationToken::clone(&self.end).cancelled_owned()
    }
}

impl Drop for SessionWatch {
    fn drop(&mut self) {
        self.hub.sessions.release(self.session);
    }
}
