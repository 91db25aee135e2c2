//! Who follows what happens to them, on this node, and which changes each of them hears.
//!
//! What somebody follows is read from the log like everything else: the set is loaded once, and from the moment at which
//! the loading began every joining and leaving is applied to it at its own position, before the hub looks at the next
//! change. So whatever is said right after somebody was added is handed to them, and nothing that is said after they were
//! removed.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use tokio::time::Instant;

use super::{
    followers::{Follower, Followers, Topic},
    inbox::Inbox,
};
use crate::{
    fault::{Fault, Faults},
    model::{Change, ConversationId, Heads, Limits, News, Position, Role, Shard, UserId},
    store::Followed,
};

/// Changes that are noted while what somebody follows is loaded; with more it is loaded again.
pub(super) const NOTED_MAX: usize = 1_000;

pub(super) enum State {
    /// What they follow is not known; what happened to them since it is being read.
    Loading {
        generation: u64,
        noted: Option<Vec<Change>>,
    },
    Loaded,
}

pub(super) struct Person {
    pub(super) inboxes: Vec<Arc<Inbox>>,
    pub(super) topics: HashSet<Topic>,
    pub(super) state: State,
    /// Since when nobody listens for them.
    away_since: Option<Instant>,
}

/// Everybody who follows their events on this node.
pub(super) struct Audience {
    pub(super) heads: Vec<Position>,
    pub(super) people: HashMap<UserId, Person>,
    pub(super) followers: Followers,
    generation: u64,
    /// People for whom nobody listens now.
    away: usize,
    pub(super) limits: Arc<Limits>,
    pub(super) faults: Faults,
}

/// What somebody who wants to follow is to do.
pub(super) enum Joined {
    /// Read the log up to here; the inbox has all that follows.
    Until(Heads),
    /// Have loaded what they follow first.
    Unknown {
        /// Names the loading.
        generation: u64,
    },
}

impl Audience {
    pub(super) fn new(heads: &[Position], limits: Arc<Limits>, faults: Faults) -> Self {
        Self {
            heads: heads.to_vec(),
            people: HashMap::new(),
            followers: Followers::default(),
            generation: 0,
            away: 0,
            limits,
            faults,
        }
    }

    /// Everything up to here has been handed on.
    pub(super) fn heads(&self) -> Heads {
        self.heads.as_slice().into()
    }

    /// How far a shard's changes have been handed on.
    pub(super) fn head(&self, shard: Shard) -> Position {
        self.heads.get(usize::from(shard)).copied().unwrap_or(0)
    }

    /// Whether anybody listens.
    pub(super) fn is_listened_to(&self) -> bool {
        self.people.len() > self.away
    }

    /// Hands everything from here on to this inbox, once it is known what its owner follows.
    pub(super) fn join(&mut self, user: UserId, inbox: &Arc<Inbox>) -> Joined {
        let generation = self.generation + 1;
        let person = self.people.entry(user).or_insert_with(|| {
            self.generation = generation;
            Person {
                inboxes: Vec::new(),
                topics: HashSet::new(),
                state: State::Loading {
                    generation,
                    noted: Some(Vec::new()),
                },
                away_since: None,
            }
        });
        self.away -= usize::from(person.away_since.take().is_some());
        if !person.inboxes.iter().any(|other| Arc::ptr_eq(other, inbox)) {
            person.inboxes.push(Arc::clone(inbox));
        }
        match person.state {
            State::Loading { generation, .. } => Joined::Unknown { generation },
            State::Loaded => {
                inbox.open();
                Joined::Until(self.heads())
            }
        }
    }

    /// The inbox is gone. What its owner follows is kept for a while, if there is room.
    pub(super) fn leave(&mut self, user: UserId, inbox: &Arc<Inbox>) {
        let Some(person) = self.people.get_mut(&user) else {
            return;
        };
        person.inboxes.retain(|other| !Arc::ptr_eq(other, inbox));
        if !person.inboxes.is_empty() || person.away_since.is_some() {
            return;
        }
        person.away_since = Some(Instant::now());
        self.away += 1;
        if self.away > self.limits.followed_kept_max {
            self.remove(user);
        }
    }

    fn remove(&mut self, user: UserId) {
        if let Some(person) = self.people.remove(&user) {
            self.away -= usize::from(person.away_since.is_some());
            for topic in person.topics {
                self.followers.remove(topic, user);
            }
        }
    }

    /// Forgets those who have not come back.
    pub(super) fn sweep(&mut self) {
        let kept = self.limits.followed_kept;
        let is_gone = |person: &Person| {
            person
                .away_since
                .is_some_and(|since| since.elapsed() >= kept)
        };
        let gone = self.people.iter().filter(|(_, person)| is_gone(person));
        let gone: Vec<_> = gone.map(|(user, _)| *user).collect();
        for user in gone {
            self.remove(user);
        }
    }

    fn follow(&mut self, user: UserId, topic: Topic, follower: Follower) {
        let Some(person) = self.people.get_mut(&user) else {
            return;
        };
        person.topics.insert(topic);
        self.followers.add(topic, user, follower);
    }

    /// Takes in what somebody follows, as it was read after the loading began.
    pub(super) fn install(
        &mut self,
        user: UserId,
        generation: u64,
        followed: &[Followed],
        friends: &[UserId],
    ) {
        let Some(person) = self.people.get_mut(&user) else {
            return;
        };
        let State::Loading {
            generation: wanted,
            noted,
        } = &mut person.state
        else {
            return;
        };
        if *wanted != generation {
            return;
        }
        let Some(noted) = noted.take() else {
            // Too much happened meanwhile: it is read again, from here.
            self.generation += 1;
            person.state = State::Loading {
                generation: self.generation,
                noted: Some(Vec::new()),
            };
            return;
        };
        person.state = State::Loaded;
        for there in followed {
            let (since, role) = (there.since, there.role);
            let topic = Topic::Conversation(there.conversation);
            self.follow(user, topic, Follower { since, role });
            if let Some(pair) = there.pair {
                self.follow_profile(user, pair.other(user));
            }
        }
        for friend in friends {
            self.follow_profile(user, *friend);
        }
        if self.faults.has(Fault::MembershipsOfAnotherMoment) {
            return;
        }
        for change in noted {
            self.apply(user, &change);
        }
    }

    fn follow_profile(&mut self, user: UserId, of: UserId) {
        let follower = Follower {
            since: 0,
            role: Role::Member,
        };
        self.follow(user, Topic::Profile(of), follower);
    }

    /// What somebody follows is not the same after this change.
    pub(super) fn apply(&mut self, user: UserId, change: &Change) {
        match change.news {
            News::MemberJoined {
                conversation, role, ..
            } => {
                let since = change.position;
                self.follow(
                    user,
                    Topic::Conversation(conversation),
                    Follower { since, role },
                );
            }
            News::MemberLeft { conversation, .. } | News::ConversationDeleted { conversation } => {
                self.leave_conversation(user, conversation, change);
            }
            News::MemberChanged {
                conversation, role, ..
            } => {
                let topic = Topic::Conversation(conversation);
                self.followers
                    .change_role(topic, user, role, change.position);
            }
            // Of a friend, and of one who was: the two may have a direct conversation. Who may hear is asked when it is told.
            News::FriendshipBegan { pair, .. } | News::FriendshipEnded { pair, .. } => {
                self.follow_profile(user, pair.other(user));
            }
            News::MessageSent(_)
            | News::ConversationUpdated { .. }
            | News::ReadMarkMoved { .. }
            | News::ProfileUpdated { .. }
            | News::FriendRequestChanged { .. }
            | News::BlockChanged { .. }
            | News::AccountClosed { .. }
            | News::SessionEnded { .. } => {}
        }
    }

    fn leave_conversation(&mut self, user: UserId, conversation: ConversationId, change: &Change) {
        let topic = Topic::Conversation(conversation);
        let known = self.followers.get(topic, user);
        // One that joined again since is of another membership.
        if known.is_none_or(|known| known.since > change.position)
            || self.faults.has(Fault::RemovalAppliedLate)
        {
            return;
        }
        self.followers.remove(topic, user);
        if let Some(person) = self.people.get_mut(&user) {
            person.topics.remove(&topic);
            for inbox in &person.inboxes {
                inbox.leave_out(conversation);
            }
        }
    }

    /// Changes of a shard are missing, up to this position: what everybody follows is read anew, and what they missed.
    /// Nothing happens when they have come meanwhile. Whether they were missing.
    pub(super) fn lag(&mut self, shard: Shard, until: Position) -> bool {
        match self.heads.get_mut(usize::from(shard)) {
            Some(head) if *head < until => *head = until,
            Some(_) | None => return false,
        }
        self.forget(Inbox::lag);
        true
    }

    /// The log stands here, and more was told: every stream ends.
    pub(super) fn lose(&mut self, heads: &[Position]) {
        self.heads = heads.to_vec();
        self.forget(Inbox::lose);
    }

    /// What anybody follows is not known any more.
    fn forget(&mut self, tell: impl Fn(&Inbox)) {
        self.followers.clear();
        for person in self.people.values_mut() {
            self.generation += 1;
            person.topics.clear();
            person.state = State::Loading {
                generation: self.generation,
                noted: Some(Vec::new()),
            };
            person.inboxes.iter().for_each(|inbox| tell(inbox));
        }
    }

    fn loaded(&self, user: UserId) -> Option<&Person> {
        let person = self.people.get(&user)?;
        matches!(person.state, State::Loaded).then_some(person)
    }

    /// How somebody follows those of these conversations that they follow; nothing when that is not known now.
    pub(super) fn followed(
        &self,
        user: UserId,
        among: &HashSet<ConversationId>,
    ) -> Option<HashMap<ConversationId, Follower>> {
        let person = self.loaded(user)?;
        let follower = |topic: &Topic| match topic {
            Topic::Conversation(id) if among.contains(id) => {
                Some((*id, self.followers.get(*topic, user)?))
            }
            Topic::Conversation(_) | Topic::Profile(_) => None,
        };
        Some(person.topics.iter().filter_map(follower).collect())
    }

    /// Whether somebody might hear how another is shown; nothing when that is not known now.
    pub(super) fn follows_profile(&self, user: UserId, of: UserId) -> Option<bool> {
        let person = self.loaded(user)?;
        Some(person.topics.contains(&Topic::Profile(of)))
    }

    /// Of whom somebody might hear how they are shown.
    pub(super) fn profiles_of(&self, user: UserId) -> Vec<UserId> {
        let topics = self.people.get(&user).map(|person| &person.topics);
        let profile = |topic: &Topic| match topic {
            Topic::Profile(of) => Some(*of),
            Topic::Conversation(_) => None,
        };
        topics.into_iter().flatten().filter_map(profile).collect()
    }

    /// Whether it is known that the membership by which somebody heard a position of a conversation has ended. While
    /// what they follow is read anew it is not.
    pub(super) fn has_left(&self, user: UserId, of: ConversationId, position: Position) -> bool {
        let follower = self.followers.get(Topic::Conversation(of), user);
        let hears = follower.is_some_and(|follower| follower.since < position);
        self.loaded(user).is_some() && !hears
    }
}
