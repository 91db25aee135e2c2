//! Rows that the writer has read or written, as they are now.
//!
//! They are kept from one batch to the next: nobody else writes, so they stand until a transaction fails. A row known to
//! be absent is known too.

use std::hash::Hash;

use foldhash::{HashMap, HashSet};

use super::{keys::NewestKeys, needs::Needs};
use crate::{
    model::{
        Conversation, ConversationId, Membership, Pair, Position, Relationship, Session, User,
        UserId,
    },
    store::{Error, Transaction},
};

/// More rows than this are not carried to the next batch.
const KEPT_MAX: usize = 8_192;

#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) head: Position,
    pub(super) users: HashMap<UserId, Option<User>>,
    pub(super) handles: HashMap<String, Option<UserId>>,
    pub(super) sessions: HashMap<UserId, Vec<Session>>,
    pub(super) conversations: HashMap<ConversationId, Option<Conversation>>,
    pub(super) creations: HashMap<(UserId, String), Option<ConversationId>>,
    pub(super) memberships: HashMap<(ConversationId, UserId), Option<Membership>>,
    /// Who is banned, of those who are no members.
    pub(super) bans: HashMap<(ConversationId, UserId), bool>,
    pub(super) directs: HashMap<Pair, Option<ConversationId>>,
    pub(super) pairs: HashMap<Pair, Relationship>,
    /// Who are friends, of those pairs of whom nothing else is known: what `pairs` says counts before it.
    pub(super) friends: HashMap<Pair, bool>,
    pub(super) pending: HashMap<UserId, u64>,
    pub(super) newest_keys: NewestKeys,
}

fn missing<'a, K: Clone + Eq + Hash + 'a, V>(
    wanted: impl IntoIterator<Item = &'a K>,
    known: &HashMap<K, V>,
) -> Vec<K> {
    wanted
        .into_iter()
        .filter(|key| !known.contains_key(*key))
        .cloned()
        .collect()
}

fn weight(between: &Relationship) -> usize {
    1 + between.requests.len() + between.blocks.len()
}

impl Known {
    /// Nothing but where the shard stands, and keys.
    pub(super) fn at(head: Position, newest_keys: NewestKeys) -> Self {
        Self {
            head,
            newest_keys,
            ..Self::default()
        }
    }

    /// What may be carried to the next batch.
    pub(super) fn kept(self) -> Self {
        let rows = self.users.len()
            + self.handles.len()
            + self
                .sessions
                .values()
                .map(|all| all.len() + 1)
                .sum::<usize>()
            + self.conversations.len()
            + self.creations.len()
            + self.memberships.len()
            + self.bans.len()
            + self.directs.len()
            + self.pairs.values().map(weight).sum::<usize>()
            + self.friends.len()
            + self.pending.len();
        let newest_keys = self.newest_keys.kept();
        if rows > KEPT_MAX {
            Self::at(self.head, newest_keys)
        } else {
            Self {
                newest_keys,
                ..self
            }
        }
    }

    /// Reads what is needed and not known.
    pub(super) async fn load(&mut self, needs: &Needs, tx: &Transaction) -> Result<(), Error> {
        self.load_people(needs, tx).await?;
        self.load_conversations(needs, tx).await?;
        self.load_newest_keys(&needs.message_keys, tx).await?;
        for pair in missing(&needs.pairs, &self.pairs) {
            self.pairs.insert(pair, tx.find_relationship(pair).await?);
        }
        for sender in missing(&needs.pending_of, &self.pending) {
            self.pending
                .insert(sender, tx.count_pending_of(sender).await?);
        }
        self.load_places(needs, tx).await?;
        self.load_friends(needs, tx).await
    }

    /// Memberships, and the bans of those who have none.
    async fn load_places(&mut self, needs: &Needs, tx: &Transaction) -> Result<(), Error> {
        // Whoever made a conversation may have left it since: a second call with its key is answered as they stand now.
        let made = needs.creations.iter().filter_map(|creation| {
            let conversation = *self.creations.get(creation)?;
            Some((conversation?, creation.0))
        });
        let places: HashSet<_> = needs.memberships.iter().copied().chain(made).collect();
        let unknown = missing(&places, &self.memberships);
        if !unknown.is_empty() {
            self.memberships
                .extend(unknown.iter().map(|place| (*place, None)));
            for membership in tx.find_memberships(&unknown).await? {
                self.memberships
                    .insert((membership.conversation, membership.user), Some(membership));
            }
        }
        let is_outside =
            |place: &&(ConversationId, UserId)| matches!(self.memberships.get(*place), Some(None));
        let outside = missing(places.iter().filter(is_outside), &self.bans);
        if !outside.is_empty() {
            self.bans
                .extend(outside.iter().map(|place| (*place, false)));
            for place in tx.find_bans(&outside).await? {
                self.bans.insert(place, true);
            }
        }
        Ok(())
    }

    /// Friendships that are asked for, or that a direct conversation hangs on.
    async fn load_friends(&mut self, needs: &Needs, tx: &Transaction) -> Result<(), Error> {
        let talking = needs
            .conversations
            .iter()
            .filter_map(|id| self.conversations.get(id)?.as_ref()?.pair.as_ref());
        let wanted = needs.friendships.iter().chain(talking);
        let mut unknown = missing(
            wanted.filter(|pair| !self.pairs.contains_key(*pair)),
            &self.friends,
        );
        unknown.sort_unstable_by_key(|pair| (pair.low, pair.high));
        unknown.dedup();
        if !unknown.is_empty() {
            self.friends
                .extend(unknown.iter().map(|pair| (*pair, false)));
            for pair in tx.find_friends(&unknown).await? {
                self.friends.insert(pair, true);
            }
        }
        Ok(())
    }

    async fn load_people(&mut self, needs: &Needs, tx: &Transaction) -> Result<(), Error> {
        let ids = missing(&needs.users, &self.users);
        let handles = missing(&needs.handles, &self.handles);
        if !ids.is_empty() || !handles.is_empty() {
            self.users.extend(ids.iter().map(|id| (*id, None)));
            self.handles
                .extend(handles.iter().map(|handle| (handle.clone(), None)));
            for user in tx.find_users(&ids, &handles).await? {
                self.handles.insert(user.handle.clone(), Some(user.id));
                self.users.insert(user.id, Some(user));
            }
        }
        let owners = missing(&needs.sessions_of, &self.sessions);
        if !owners.is_empty() {
            self.sessions
                .extend(owners.iter().map(|owner| (*owner, Vec::new())));
            for session in tx.find_sessions_of(&owners).await? {
                self.sessions.entry(session.user).or_default().push(session);
            }
        }
        Ok(())
    }

    async fn load_conversations(&mut self, needs: &Needs, tx: &Transaction) -> Result<(), Error> {
        let creations = missing(&needs.creations, &self.creations);
        if !creations.is_empty() {
            self.creations
                .extend(creations.iter().map(|creation| (creation.clone(), None)));
            for conversation in tx.find_created(&creations).await? {
                if let (creator, Some(key)) = &conversation.creation {
                    self.creations
                        .insert((*creator, key.clone()), Some(conversation.id));
                }
                self.conversations
                    .entry(conversation.id)
                    .or_insert(Some(conversation));
            }
        }
        let pairs = missing(&needs.directs, &self.directs);
        if !pairs.is_empty() {
            self.directs.extend(pairs.iter().map(|pair| (*pair, None)));
            for conversation in tx.find_direct_conversations(&pairs).await? {
                if let Some(pair) = conversation.pair {
                    self.directs.insert(pair, Some(conversation.id));
                }
                self.conversations
                    .entry(conversation.id)
                    .or_insert(Some(conversation));
            }
        }
        let ids = missing(&needs.conversations, &self.conversations);
        if !ids.is_empty() {
            self.conversations.extend(ids.iter().map(|id| (*id, None)));
            for conversation in tx.find_conversations(&ids).await? {
                self.conversations
                    .insert(conversation.id, Some(conversation));
            }
        }
        Ok(())
    }
}
