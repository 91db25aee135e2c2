//! Signals on their way to the hub: the newest of each kind, for the hub to take after the changes that came before.
//!
//! Whoever raises a signal has been answered for everything that they or others wrote before it, and an answer comes
//! after its change is on the way. So the hub, which takes changes first, has seen a removal before it sees what the
//! removed person's neighbours do afterwards.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use foldhash::{HashMap, HashSet};

use tokio::{sync::Notify, time::Instant};

use super::{
    board::Board,
    presence::Devices,
    typing::{Typer, Typers, TypingSignal},
};
use crate::model::{Change, ConversationId, Limits, News, Pair, Position, Shard, UserId};

/// Typing signals that wait at most; one more is dropped.
const WAITING_MAX: usize = 10_000;

/// Conversations in which somebody types, and people who are there, at most.
const TYPING_MAX: usize = 10_000;
const PRESENT_MAX: usize = 1_000_000;

/// Endings that are remembered, against signals that were allowed before them and come after.
const ENDINGS: usize = 1_024;

#[derive(Default)]
struct Waiting {
    typing: HashMap<(ConversationId, UserId), TypingSignal>,
    devices: HashMap<UserId, i32>,
}

/// Conversations in which one person types, as far as is remembered for their going away.
const TYPING_PLACES_MAX: usize = 100;

/// What ends the right to type.
enum Ending {
    Place(ConversationId, UserId),
    Conversation(ConversationId),
    Friendship(Pair),
}

#[derive(Default)]
struct Memory {
    /// The newest endings, by shard and position.
    endings: VecDeque<(Shard, Position, Ending)>,
    /// Of each shard, the newest ending that was forgotten.
    forgotten: HashMap<Shard, Position>,
    /// Where somebody types.
    typing_of: HashMap<UserId, HashSet<ConversationId>>,
}

/// Signals, and what became of them.
pub(super) struct Signals {
    waiting: Mutex<Waiting>,
    /// Those that have waited for as many changes as could have been before them.
    due: Mutex<Waiting>,
    raised: Notify,
    memory: Mutex<Memory>,
    pub(super) typing: Arc<Board<Typers>>,
    pub(super) presence: Arc<Board<Devices>>,
    limits: Arc<Limits>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Raising them.
impl Signals {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        Self {
            waiting: Mutex::default(),
            due: Mutex::default(),
            raised: Notify::new(),
            memory: Mutex::default(),
            typing: Arc::new(Board::new(TYPING_MAX)),
            presence: Arc::new(Board::new(PRESENT_MAX)),
            limits,
        }
    }

    /// Somebody types, or has stopped.
    pub(super) fn type_in(&self, conversation: ConversationId, user: UserId, signal: TypingSignal) {
        let mut waiting = locked(&self.waiting);
        let place = (conversation, user);
        if waiting.typing.len() < WAITING_MAX || waiting.typing.contains_key(&place) {
            waiting.typing.insert(place, signal);
            self.raised.notify_one();
        }
    }

    /// Devices of somebody came, or went.
    pub(super) fn device(&self, user: UserId, by: i32) {
        *locked(&self.waiting).devices.entry(user).or_default() += by;
        self.raised.notify_one();
    }

    /// Waits until there is one.
    pub(super) async fn raised(&self) {
        self.raised.notified().await;
    }
}

/// What the hub does with them, and with changes that end them.
impl Signals {
    /// Takes all that wait: no change is before them any more.
    pub(super) fn take(&self) {
        self.take_due();
        self.take_due();
    }

    /// Takes those that were there when this was called last; since then all that could be before them has passed.
    pub(super) fn take_due(&self) {
        let waiting = std::mem::take(&mut *locked(&self.waiting));
        let due = std::mem::replace(&mut *locked(&self.due), waiting);
        self.apply(due);
    }

    fn apply(&self, Waiting { typing, devices }: Waiting) {
        let now = Instant::now();
        for ((conversation, user), signal) in typing {
            if signal.is_typing {
                self.begin_typing(conversation, user, &signal, now);
            } else {
                self.end_typing(conversation, user);
            }
        }
        for (user, by) in devices.into_iter().filter(|(_, by)| *by != 0) {
            let shown_until = now + self.limits.presence_grace;
            let mut all_gone = false;
            self.presence.change(user, now, |devices| {
                all_gone = devices.change(by, shown_until);
                true
            });
            if all_gone {
                let places = locked(&self.memory).typing_of.remove(&user);
                for conversation in places.unwrap_or_default() {
                    self.end_typing(conversation, user);
                }
            }
        }
    }

    fn begin_typing(
        &self,
        conversation: ConversationId,
        user: UserId,
        signal: &TypingSignal,
        now: Instant,
    ) {
        let mut memory = locked(&self.memory);
        if memory.may_have_ended(conversation, user, signal) {
            return;
        }
        // Those who have no device whose going would end it leave something here; in the end it is all forgotten.
        if memory.typing_of.len() >= TYPING_MAX {
            memory.typing_of.clear();
        }
        let places = memory.typing_of.entry(user).or_default();
        // Some have run out by themselves; what is forgotten here runs out by itself too.
        if places.len() >= TYPING_PLACES_MAX && !places.contains(&conversation) {
            places.clear();
        }
        places.insert(conversation);
        drop(memory);
        let typer = Typer {
            user,
            until: now + self.limits.typing_lives,
            pair: signal.pair,
        };
        self.typing.change(conversation, now, |typers| {
            typers.sweep(now);
            typers.begin(typer, self.limits.typing_refresh)
        });
    }

    fn end_typing(&self, conversation: ConversationId, user: UserId) {
        self.typing
            .change_existing(conversation, |typers| typers.end(user));
        let mut memory = locked(&self.memory);
        if let Some(places) = memory.typing_of.get_mut(&user) {
            places.remove(&conversation);
            if places.is_empty() {
                memory.typing_of.remove(&user);
            }
        }
    }

    /// Takes note of a change that begins or ends what somebody may see or do.
    pub(super) fn note(&self, change: &Change) {
        match &change.news {
            News::MessageSent(message) => self.end_typing(message.conversation, message.sender),
            News::MemberJoined {
                conversation, user, ..
            } => self.typing.allow(*conversation, Some(*user), true),
            News::MemberLeft {
                conversation,
                user,
                reads_on,
                ..
            } => {
                self.remember(change, Ending::Place(*conversation, *user));
                self.end_typing(*conversation, *user);
                if !reads_on {
                    self.typing.allow(*conversation, Some(*user), false);
                }
            }
            News::ConversationDeleted { conversation } => {
                self.typing.allow(*conversation, None, false);
            }
            News::FriendshipBegan { pair, .. } => self.let_see_each_other(*pair, true),
            News::FriendshipEnded { pair, .. } => {
                self.remember(change, Ending::Friendship(*pair));
                self.let_see_each_other(*pair, false);
                self.end_typing_between(*pair);
            }
            // Another role, policy or an archive may end it; whoever types on says so again soon.
            News::MemberChanged {
                conversation, user, ..
            } => {
                self.remember(change, Ending::Place(*conversation, *user));
                self.end_typing(*conversation, *user);
            }
            News::ConversationUpdated { conversation, .. } => {
                self.remember(change, Ending::Conversation(*conversation));
                self.typing.change_existing(*conversation, Typers::end_all);
            }
            News::ReadMarkMoved { .. }
            | News::ProfileUpdated { .. }
            | News::FriendRequestChanged { .. }
            | News::BlockChanged { .. }
            | News::AccountClosed { .. }
            | News::SessionEnded { .. } => {}
        }
    }

    fn let_see_each_other(&self, pair: Pair, may_look: bool) {
        self.presence.allow(pair.low, Some(pair.high), may_look);
        self.presence.allow(pair.high, Some(pair.low), may_look);
    }

    fn end_typing_between(&self, pair: Pair) {
        let memory = locked(&self.memory);
        let places: HashSet<_> = [pair.low, pair.high]
            .iter()
            .filter_map(|user| memory.typing_of.get(user))
            .flatten()
            .copied()
            .collect();
        drop(memory);
        for conversation in places {
            self.typing
                .change_existing(conversation, |typers| typers.end_between(pair));
        }
    }

    fn remember(&self, change: &Change, ending: Ending) {
        let mut memory = locked(&self.memory);
        memory
            .endings
            .push_back((change.shard, change.position, ending));
        if memory.endings.len() > ENDINGS
            && let Some((shard, position, _)) = memory.endings.pop_front()
        {
            memory.forgotten.insert(shard, position);
        }
    }
}

impl Memory {
    /// Whether the right to type, which was read before, has ended since, or may have: then the signal is dropped.
    fn may_have_ended(
        &self,
        conversation: ConversationId,
        user: UserId,
        signal: &TypingSignal,
    ) -> bool {
        let read_at = |shard: Shard| signal.read_at.get(usize::from(shard)).copied().unwrap_or(0);
        let is_forgotten = self
            .forgotten
            .iter()
            .any(|(shard, position)| *position > read_at(*shard));
        let concerns = |ending: &Ending| match ending {
            Ending::Place(place, who) => (*place, *who) == (conversation, user),
            Ending::Conversation(place) => *place == conversation,
            Ending::Friendship(pair) => signal.pair == Some(*pair),
        };
        let has_ended = self
            .endings
            .iter()
            .any(|(shard, position, ending)| *position > read_at(*shard) && concerns(ending));
        is_forgotten || has_ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FriendshipId, Id, MembershipId, Reach, RemovalReason, Timestamp};

    fn id<I: Id>(n: u128) -> I {
        I::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn left(position: Position, n: u128) -> Change {
        let news = News::MemberLeft {
            conversation: id(1),
            user: id(n),
            membership: id::<MembershipId>(n),
            reason: RemovalReason::Removed,
            reads_on: false,
            reach: Reach::Everyone,
        };
        change(position, news)
    }

    fn change(position: Position, news: News) -> Change {
        Change {
            shard: 0,
            position,
            at: Timestamp::from_millis(0),
            news,
        }
    }

    fn typing(read_at: Position, pair: Option<Pair>) -> TypingSignal {
        TypingSignal {
            is_typing: true,
            pair,
            read_at: Arc::new([read_at]),
        }
    }

    fn count(signals: &Signals) -> usize {
        signals
            .typing
            .look(id(1), id(0))
            .map_or(0, |typing| typing.typers.len())
    }

    #[tokio::test]
    async fn a_signal_that_was_allowed_before_a_removal_and_comes_after_it_is_dropped() {
        let signals = Signals::new(Arc::default());
        signals.note(&left(7, 2));
        signals.type_in(id(1), id(2), typing(6, None));
        signals.type_in(id(1), id(3), typing(6, None));
        signals.take();
        assert_eq!(count(&signals), 1, "only the one who was not removed");
        signals.type_in(id(1), id(2), typing(7, None));
        signals.take();
        assert_eq!(count(&signals), 2, "who came back types");
        let pair = Pair::new(id(2), id(3));
        let friendship = id::<FriendshipId>(1);
        signals.note(&change(8, News::FriendshipEnded { pair, friendship }));
        signals.type_in(id(1), id(4), typing(7, Some(pair)));
        signals.take();
        assert_eq!(count(&signals), 2, "nor one between two who were friends");
    }

    #[tokio::test]
    async fn what_is_too_old_to_be_told_apart_is_dropped() {
        let signals = Signals::new(Arc::default());
        for position in 1..=1_025 {
            signals.note(&left(position, 9));
        }
        signals.type_in(id(1), id(2), typing(0, None));
        signals.take();
        assert_eq!(count(&signals), 0, "the ending at 1 is forgotten");
        signals.type_in(id(1), id(2), typing(1, None));
        signals.take();
        assert_eq!(count(&signals), 1);
    }

    #[tokio::test]
    async fn with_the_last_device_typing_ends() {
        let signals = Signals::new(Arc::default());
        signals.device(id(2), 1);
        signals.device(id(2), 1);
        signals.type_in(id(1), id(2), typing(0, None));
        signals.take();
        signals.device(id(2), -1);
        signals.take();
        assert_eq!(count(&signals), 1);
        signals.device(id(2), -1);
        signals.take();
        assert_eq!(count(&signals), 0);
        assert_eq!(
            signals.presence.look(id(2), id(0)),
            Some(true),
            "and they are shown a while"
        );
    }
}
