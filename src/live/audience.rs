//! Who follows what happens to them, on this node, and which changes each of them hears.
//!
//! What somebody follows is read from the log like everything else: the set is loaded once, and from the moment at which
//! the loading began every joining and leaving is applied to it at its own position, before the hub looks at the next
//! change. So whatever is said right after somebody was added is handed to them, and nothing that is said after they were
//! removed.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    Item,
    followers::{Follower, Followers, Topic},
    inbox::{Entry, Inbox},
};
use crate::{
    fault::{Fault, Faults, Point},
    model::{Change, ConversationId, Heads, Limits, News, Position, Role, UserId},
    store::Followed,
};

/// Changes that are noted while what somebody follows is loaded; with more it is loaded again.
const NOTED_MAX: usize = 1_000;

enum State {
    /// What they follow is not known; what happened to them since it is being read.
    Loading {
        generation: u64,
        noted: Option<Vec<Change>>,
    },
    Loaded,
}

struct Person {
    inboxes: Vec<Arc<Inbox>>,
    topics: HashSet<Topic>,
    state: State,
}

/// Everybody who follows their events on this node.
pub(super) struct Audience {
    heads: Vec<Position>,
    people: HashMap<UserId, Person>,
    followers: Followers,
    generation: u64,
    limits: Arc<Limits>,
    faults: Faults,
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
            limits,
            faults,
        }
    }

    /// Everything up to here has been handed on.
    pub(super) fn heads(&self) -> Heads {
        self.heads.as_slice().into()
    }

    /// How far a shard's changes have been handed on.
    pub(super) fn head(&self, shard: u16) -> Position {
        self.heads.get(usize::from(shard)).copied().unwrap_or(0)
    }

    /// How many people follow here, and how many things.
    pub(super) fn len(&self) -> (usize, usize) {
        (
            self.people.len(),
            self.people.values().map(|person| person.topics.len()).sum(),
        )
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
            }
        });
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

    /// The inbox is gone.
    pub(super) fn leave(&mut self, user: UserId, inbox: &Arc<Inbox>) {
        let Some(person) = self.people.get_mut(&user) else {
            return;
        };
        person.inboxes.retain(|other| !Arc::ptr_eq(other, inbox));
        if person.inboxes.is_empty()
            && let Some(person) = self.people.remove(&user)
        {
            for topic in person.topics {
                self.followers.remove(topic, user);
            }
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
    fn apply(&mut self, user: UserId, change: &Change) {
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
            News::MemberLeft { conversation, .. } => {
                self.leave_conversation(user, conversation, change);
            }
            News::MemberChanged {
                conversation, role, ..
            } => {
                self.followers
                    .change_role(Topic::Conversation(conversation), user, role);
            }
            News::FriendshipBegan { pair, .. } => self.follow_profile(user, pair.other(user)),
            News::MessageSent(_)
            | News::ConversationUpdated { .. }
            | News::ConversationDeleted { .. }
            | News::ReadMarkMoved { .. }
            | News::ProfileUpdated { .. }
            | News::FriendRequestChanged { .. }
            | News::FriendshipEnded { .. }
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

    /// Hands a change to everybody who hears it. What they follow changes at its position.
    pub(super) fn deliver(&mut self, item: &Arc<Item>) {
        let change = &item.change;
        if let Some(head) = self.heads.get_mut(usize::from(change.shard)) {
            *head = change.position;
        }
        if self.people.is_empty() {
            return;
        }
        let entry = Entry {
            item: Arc::clone(item),
            heads: self.heads(),
        };
        let (one, other) = change.news.concerns();
        for user in [one, other].into_iter().flatten() {
            self.note(user, change);
            self.put(user, &entry);
        }
        let topic = if let News::ProfileUpdated { user } = change.news {
            Some(Topic::Profile(user))
        } else {
            change.news.conversation().map(Topic::Conversation)
        };
        let Some(topic) = topic else { return };
        if let News::ConversationDeleted { conversation } = change.news {
            self.end_conversation(conversation, &entry);
            return;
        }
        for (user, follower) in self.followers.of(topic) {
            if one != Some(user) && follower.hears(user, change) {
                self.put(user, &entry);
            }
        }
    }

    /// A conversation is gone: what was said in it and not heard yet is left out.
    fn end_conversation(&mut self, conversation: ConversationId, entry: &Entry) {
        let topic = Topic::Conversation(conversation);
        for user in self.followers.end(topic) {
            if let Some(person) = self.people.get_mut(&user) {
                person.topics.remove(&topic);
                for inbox in &person.inboxes {
                    inbox.leave_out(conversation);
                    inbox.put(entry.clone(), &self.limits);
                }
            }
        }
    }

    fn note(&mut self, user: UserId, change: &Change) {
        let Some(person) = self.people.get_mut(&user) else {
            return;
        };
        match &mut person.state {
            State::Loaded => self.apply(user, change),
            State::Loading { noted, .. } => {
                if let Some(list) = noted {
                    list.push(change.clone());
                    if list.len() > NOTED_MAX {
                        *noted = None;
                    }
                }
            }
        }
    }

    fn put(&self, user: UserId, entry: &Entry) {
        if let Some(person) = self.people.get(&user) {
            for inbox in &person.inboxes {
                if self.faults.has(Fault::LagThatDrops) && inbox.is_full(&self.limits) {
                    continue;
                }
                inbox.put(entry.clone(), &self.limits);
            }
            self.faults.pass(Point::BetweenListeners);
        }
    }

    /// Changes are missing up to `heads`: what everybody follows is read anew, and what they missed.
    pub(super) fn lag(&mut self, heads: &[Position]) {
        self.heads = heads.to_vec();
        self.followers.clear();
        for person in self.people.values_mut() {
            self.generation += 1;
            person.topics.clear();
            person.state = State::Loading {
                generation: self.generation,
                noted: Some(Vec::new()),
            };
            for inbox in &person.inboxes {
                inbox.lag();
            }
        }
    }

    /// The log has fewer changes than were told: every stream ends.
    pub(super) fn lose(&mut self, heads: &[Position]) {
        self.lag(heads);
        for person in self.people.values() {
            for inbox in &person.inboxes {
                inbox.lose();
            }
        }
    }

    /// How somebody follows those of these conversations that they follow; nothing when that is not known now.
    pub(super) fn followed(
        &self,
        user: UserId,
        conversations: &[ConversationId],
    ) -> Option<HashMap<ConversationId, Follower>> {
        let person = self.people.get(&user)?;
        if !matches!(person.state, State::Loaded) {
            return None;
        }
        let follower = |id: &ConversationId| {
            let topic = Topic::Conversation(*id);
            Some((*id, self.followers.get(topic, user)?))
        };
        Some(conversations.iter().filter_map(follower).collect())
    }

    /// Whether somebody might hear how another is shown.
    pub(super) fn follows_profile(&self, user: UserId, of: UserId) -> bool {
        let topic = Topic::Profile(of);
        let person = self.people.get(&user);
        person.is_some_and(|person| person.topics.contains(&topic))
    }

    /// Whether it is known that somebody follows a conversation no longer. While what they follow is read anew it is not.
    pub(super) fn has_left(&self, user: UserId, conversation: ConversationId) -> bool {
        let topic = Topic::Conversation(conversation);
        self.people.get(&user).is_some_and(|person| {
            matches!(person.state, State::Loaded) && !person.topics.contains(&topic)
        })
    }
}
