//! The rows that a batch's writes read, gathered first so that each sort is loaded by one statement.

use foldhash::HashSet;

use crate::model::{ConversationId, Pair, UserId};

/// A key that a sender gave with a message.
pub(super) type MessageKey = (ConversationId, UserId, String);

/// Which rows the writes of a batch read.
#[derive(Debug, Default)]
pub struct Needs {
    pub(super) users: HashSet<UserId>,
    pub(super) handles: HashSet<String>,
    pub(super) sessions_of: HashSet<UserId>,
    pub(super) conversations: HashSet<ConversationId>,
    pub(super) creations: HashSet<(UserId, String)>,
    pub(super) memberships: HashSet<(ConversationId, UserId)>,
    pub(super) message_keys: HashSet<MessageKey>,
    pub(super) pairs: HashSet<Pair>,
    pub(super) friendships: HashSet<Pair>,
    pub(super) directs: HashSet<Pair>,
    pub(super) pending_of: HashSet<UserId>,
}

impl Needs {
    /// A person.
    pub fn user(&mut self, id: UserId) {
        self.users.insert(id);
    }

    /// Whoever has this handle.
    pub fn handle(&mut self, handle: &str) {
        self.handles.insert(handle.to_owned());
    }

    /// All sessions of a person.
    pub fn sessions_of(&mut self, user: UserId) {
        self.sessions_of.insert(user);
    }

    /// A conversation.
    pub fn conversation(&mut self, id: ConversationId) {
        self.conversations.insert(id);
    }

    /// The conversation that a person made with this key.
    pub fn creation(&mut self, creator: UserId, key: &str) {
        self.creations.insert((creator, key.to_owned()));
    }

    /// A conversation, a person, and all that says how the one stands to the other.
    pub fn membership(&mut self, conversation: ConversationId, user: UserId) {
        self.conversations.insert(conversation);
        self.users.insert(user);
        self.memberships.insert((conversation, user));
    }

    /// Two people, and all that lies between them.
    pub fn pair(&mut self, pair: Pair) {
        self.users.extend([pair.low, pair.high]);
        self.pairs.insert(pair);
    }

    /// Whether two people are friends, and nothing else that lies between them.
    pub fn friendship(&mut self, pair: Pair) {
        self.friendships.insert(pair);
    }

    /// Two people, whether they are friends, and their direct conversation.
    pub fn direct_conversation(&mut self, pair: Pair) {
        self.users.extend([pair.low, pair.high]);
        self.friendships.insert(pair);
        self.directs.insert(pair);
    }

    /// How many requests of a person wait for an answer.
    pub fn pending_of(&mut self, sender: UserId) {
        self.pending_of.insert(sender);
    }

    /// The message that a person sent with this key.
    pub fn message_key(&mut self, conversation: ConversationId, sender: UserId, key: &str) {
        self.message_keys
            .insert((conversation, sender, key.to_owned()));
    }
}
