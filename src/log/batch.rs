//! A batch in the making: rows kept current in memory while write after write decides over them, then stored at once.
//!
//! Because a decision reads what the decisions before it left, [send by Bob, remove Bob, send by Bob] refuses the last
//! one although no statement has run yet.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::{
    keys::NewestKeys,
    known::Known,
    needs::{MessageKey, Needs},
};
use crate::{
    fault::{Fault, Faults},
    model::{
        Ban, Change, Conversation, ConversationId, FriendRequest, FriendRequestId, Membership,
        Message, Pair, Relationship, Session, SessionId, Shard, Timestamp, User, UserId,
    },
    store::{Appended, EndedMembership, Error, Filing, IndexedKeys, Transaction},
};

/// What lies between two people who never met.
static NOTHING: Relationship = Relationship {
    friendship: None,
    requests: Vec::new(),
    blocks: Vec::new(),
};

/// Rows as they are after every write so far, and what has to be stored.
#[derive(Debug)]
pub struct Batch {
    pub(super) faults: Faults,
    /// Memberships as they were when the batch began; only a planted fault looks at them.
    at_first: HashMap<(ConversationId, UserId), Option<Membership>>,
    pub(super) shard: Shard,
    pub(super) at: Timestamp,
    pub(super) known: Known,
    /// Messages by the keys that their senders gave: those looked up, and those of this batch.
    pub(super) keys: HashMap<MessageKey, Arc<Message>>,
    pub(super) changed_users: HashSet<UserId>,
    pub(super) changed_sessions: HashSet<(UserId, SessionId)>,
    pub(super) ended_sessions: Vec<SessionId>,
    pub(super) changed_conversations: HashSet<ConversationId>,
    pub(super) changed_memberships: HashSet<(ConversationId, UserId)>,
    /// Conversations that something happened in, whatever else changed of them.
    pub(super) moved_conversations: HashSet<ConversationId>,
    /// Memberships whose read mark moved, whatever else changed of them.
    pub(super) moved_memberships: HashSet<(ConversationId, UserId)>,
    pub(super) ended_memberships: Vec<EndedMembership>,
    /// Channels whose title is to be found.
    pub(super) titled_channels: HashSet<ConversationId>,
    /// Bans, and whether each stands now.
    pub(super) changed_bans: HashMap<(ConversationId, UserId), (Ban, bool)>,
    pub(super) closed_accounts: Vec<UserId>,
    pub(super) forgotten_accounts: Vec<UserId>,
    pub(super) requests: HashMap<FriendRequestId, FriendRequest>,
    pub(super) changed_pairs: HashSet<Pair>,
    pub(super) messages: Vec<Arc<Message>>,
    /// Messages of before that go among those of their conversations.
    pub(super) filing: Filing,
    pub(super) indexed_keys: Vec<IndexedKeys>,
    pub(super) changes: Vec<Change>,
    pub(super) effects: usize,
    pub(super) hangs_on_keys: bool,
}

impl Batch {
    pub(super) fn new(shard: Shard, at: Timestamp, known: Known, faults: Faults) -> Self {
        Self {
            faults,
            at_first: HashMap::new(),
            shard,
            at,
            known,
            keys: HashMap::new(),
            changed_users: HashSet::new(),
            changed_sessions: HashSet::new(),
            ended_sessions: Vec::new(),
            changed_conversations: HashSet::new(),
            changed_memberships: HashSet::new(),
            moved_conversations: HashSet::new(),
            moved_memberships: HashSet::new(),
            ended_memberships: Vec::new(),
            titled_channels: HashSet::new(),
            changed_bans: HashMap::new(),
            closed_accounts: Vec::new(),
            forgotten_accounts: Vec::new(),
            requests: HashMap::new(),
            changed_pairs: HashSet::new(),
            messages: Vec::new(),
            filing: Filing::default(),
            indexed_keys: Vec::new(),
            changes: Vec::new(),
            effects: 0,
            hangs_on_keys: false,
        }
    }

    pub(super) async fn load(&mut self, needs: &Needs, tx: &Transaction) -> Result<(), Error> {
        self.known.load(needs, tx).await?;
        if self.faults.has(Fault::BulkCheckForABatch) {
            self.at_first.clone_from(&self.known.memberships);
        }
        Ok(())
    }

    /// Looks up the messages of those keys that are among the newest; if `all`, of the others too.
    pub(super) async fn load_keys(
        &mut self,
        needs: &Needs,
        all: bool,
        tx: &Transaction,
    ) -> Result<(), Error> {
        let keys = &needs.message_keys;
        let newest = keys
            .iter()
            .filter(|key| self.known.newest_keys.may_have(key));
        let indexed = keys.iter().filter(|_| all);
        let found = tx.find_messages_by_key(newest, indexed).await?;
        for message in found {
            if let Some(key) = message.idempotency_key.clone() {
                self.keys
                    .insert((message.conversation, message.sender, key), message);
            }
        }
        Ok(())
    }

    /// Whether a write was refused that would stand if its key turned out to be known.
    pub(super) fn hangs_on_keys(&self) -> bool {
        self.hangs_on_keys
    }

    /// How many things were changed so far.
    pub(super) fn effects(&self) -> usize {
        self.effects
    }

    /// What was decided, except what is [appended](Self::appended).
    pub(super) fn store(&self, tx: &mut Transaction) {
        // A closed account's handle is free at once.
        tx.close_accounts(&self.closed_accounts, self.at);
        for user in &self.forgotten_accounts {
            tx.forget_closing_account(*user);
        }
        let users: Vec<_> = self
            .changed_users
            .iter()
            .filter_map(|id| self.user(*id))
            .collect();
        tx.put_users(&users);
        let sessions: Vec<_> = self
            .changed_sessions
            .iter()
            .filter_map(|(user, id)| self.session(*user, *id))
            .collect();
        tx.put_sessions(&sessions);
        tx.delete_sessions(&self.ended_sessions);
        self.store_conversations(tx);
        let requests: Vec<_> = self.requests.values().collect();
        tx.put_friend_requests(&requests);
        for pair in &self.changed_pairs {
            tx.put_relationship(*pair, self.between(*pair));
        }
        tx.insert_changes(&self.changes);
    }

    /// What was said and what that moved: of most batches all there is.
    pub(super) fn appended(&self) -> Appended<'_> {
        let conversations = self
            .moved_conversations
            .difference(&self.changed_conversations)
            .filter_map(|id| self.known.conversations.get(id)?.as_ref());
        let memberships = self
            .moved_memberships
            .difference(&self.changed_memberships)
            .filter_map(|(conversation, user)| self.membership(*conversation, *user));
        Appended {
            shard: self.shard,
            head: self.known.head,
            messages: &self.messages,
            conversations: conversations.collect(),
            memberships: memberships.collect(),
            filing: &self.filing,
            keys: &self.indexed_keys,
        }
    }

    fn store_conversations(&self, tx: &mut Transaction) {
        let conversations: Vec<_> = self
            .changed_conversations
            .iter()
            .filter_map(|id| self.known.conversations.get(id)?.as_ref())
            .collect();
        tx.put_conversations(&conversations);
        // Somebody may leave and come back in one batch: ended rows go first, so that the one place that a person has
        // in a conversation is free again.
        tx.put_ended_memberships(&self.ended_memberships);
        let memberships: Vec<_> = self
            .changed_memberships
            .iter()
            .filter_map(|(conversation, user)| self.membership(*conversation, *user))
            .collect();
        tx.put_memberships(&memberships);
        for id in &self.titled_channels {
            if let Some(title) = self.conversation(*id).and_then(|at| at.title.as_deref()) {
                tx.put_channel_words(*id, title);
            }
        }
        for (ban, stands) in self.changed_bans.values() {
            tx.put_ban(ban, *stands);
        }
    }

    /// What is known, and what changed, now that it is committed. `keys_left` are those of the conversations whose keys were
    /// indexed that were not.
    pub(super) fn finish(mut self, keys_left: &[MessageKey]) -> (Known, Vec<Change>) {
        self.forget_indexed_keys(keys_left);
        (self.known, self.changes)
    }

    /// What holds although nothing was committed.
    pub(super) fn abandon(self) -> NewestKeys {
        self.known.newest_keys
    }
}

/// What writes read.
impl Batch {
    /// The time at which this batch began.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// A person.
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.known.users.get(&id)?.as_ref()
    }

    /// Whether somebody has this handle.
    pub fn is_taken(&self, handle: &str) -> bool {
        self.known.handles.get(handle).is_some_and(Option::is_some)
    }

    /// All sessions of a person.
    pub fn sessions_of(&self, user: UserId) -> &[Session] {
        self.known.sessions.get(&user).map_or(&[], Vec::as_slice)
    }

    fn session(&self, user: UserId, id: SessionId) -> Option<&Session> {
        self.sessions_of(user)
            .iter()
            .find(|session| session.id == id)
    }

    /// A conversation that is not deleted.
    pub fn conversation(&self, id: ConversationId) -> Option<&Conversation> {
        self.known
            .conversations
            .get(&id)?
            .as_ref()
            .filter(|conversation| conversation.deleted_position.is_none())
    }

    /// The conversation that a person made with this key.
    pub fn created(&self, creator: UserId, key: &str) -> Option<ConversationId> {
        *self.known.creations.get(&(creator, key.to_owned()))?
    }

    /// A person's place in a conversation.
    pub fn membership(&self, conversation: ConversationId, user: UserId) -> Option<&Membership> {
        let memberships = if self.faults.has(Fault::BulkCheckForABatch) {
            &self.at_first
        } else {
            &self.known.memberships
        };
        memberships.get(&(conversation, user))?.as_ref()
    }

    /// Whether somebody who is no member may not come back.
    pub fn is_banned(&self, conversation: ConversationId, user: UserId) -> bool {
        let place = (conversation, user);
        self.known.bans.get(&place).copied().unwrap_or(false)
    }

    /// The direct conversation of two people.
    pub fn direct_conversation(&self, pair: Pair) -> Option<&Conversation> {
        let id = (*self.known.directs.get(&pair)?)?;
        self.conversation(id)
    }

    /// Whether two people are friends.
    pub fn are_friends(&self, pair: Pair) -> bool {
        match self.known.pairs.get(&pair) {
            Some(between) => between.friendship.is_some(),
            None => self.known.friends.get(&pair).copied().unwrap_or(false),
        }
    }

    /// All that lies between two people.
    pub fn between(&self, pair: Pair) -> &Relationship {
        self.known.pairs.get(&pair).unwrap_or(&NOTHING)
    }

    /// How many requests of a person wait for an answer.
    pub fn pending_of(&self, sender: UserId) -> u64 {
        self.known.pending.get(&sender).copied().unwrap_or(0)
    }

    /// The message that a person sent with this key, as far as is known: see [`refusal_hangs_on_key`](Self::refusal_hangs_on_key).
    pub fn message_by_key(
        &self,
        conversation: ConversationId,
        sender: UserId,
        key: &str,
    ) -> Option<&Arc<Message>> {
        if self.faults.has(Fault::RetryAnsweredFromAnotherSender) {
            let same = |known: &&MessageKey| known.0 == conversation && known.2 == key;
            return self.keys.get(self.keys.keys().find(same)?);
        }
        if self.faults.has(Fault::KeyCheckedOutside) {
            return None;
        }
        self.keys.get(&(conversation, sender, key.to_owned()))
    }
}

impl Batch {
    /// Says that a refusal would be another answer if the write's key were known. Keys are taken to be new at first,
    /// so the batch is then decided again with all its keys looked up.
    pub fn refusal_hangs_on_key(&mut self) {
        self.hangs_on_keys = true;
    }
}
