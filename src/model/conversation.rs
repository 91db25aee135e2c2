//! A place where messages are kept in one order.

use super::{ConversationId, Id, Pair, Position, Timestamp, UserId, page::Key};

/// What sort of conversation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConversationKind {
    /// Exactly two friends; there is one at most for any two people.
    Direct,
    /// People who were added; nobody else knows of it.
    Group,
    /// Anybody signed in can find, read and join it.
    Channel,
}

/// Which members may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Every member.
    Everyone,
    /// Owners and admins only.
    Admins,
}

/// A conversation and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Which.
    pub id: ConversationId,
    /// What sort.
    pub kind: ConversationKind,
    /// The two people of a direct conversation; none of the other kinds.
    pub pair: Option<Pair>,
    /// Title.
    pub title: Option<String>,
    /// What it is about.
    pub topic: Option<String>,
    /// Who may send.
    pub posting_policy: Policy,
    /// Who may add members.
    pub invite_policy: Policy,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it, and the key that they gave, by which a second call finds the first one's result.
    pub creation: (UserId, Option<String>),
    /// How many members it has.
    pub member_count: i32,
    /// Number of the newest message; 0 when there is none. Unread counts are arithmetic on it.
    pub last_seq: i32,
    /// Up to which message the senders' keys are in their index; those of newer messages are not yet.
    pub keyed_seq: i32,
    /// When the newest message was sent, or the conversation made: the order of lists, and what `sentAt` never goes
    /// back behind.
    pub active_at: Timestamp,
    /// Position of the newest change in it.
    pub head_position: Position,
    /// When it was archived: since then it can be read and not written to.
    pub archived_at: Option<Timestamp>,
    /// Set when it was deleted: from then on it is nowhere.
    pub deleted_position: Option<Position>,
}

/// Place of a conversation in a list: the newest activity first, equal instants by identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationKey(pub Timestamp, pub ConversationId);

impl Key for ConversationKey {
    const LIST: u8 = b'c';
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.0.millis().to_be_bytes().to_vec();
        bytes.extend(self.1.uuid().as_bytes());
        bytes
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (at, id) = bytes.split_first_chunk::<8>()?;
        let id = ConversationId::from_uuid(uuid::Uuid::from_slice(id).ok()?);
        Some(Self(Timestamp::from_millis(i64::from_be_bytes(*at)), id))
    }
}

/// Which of a person's conversations to list.
#[derive(Debug, Clone, Default)]
pub struct ConversationFilter {
    /// Only of these kinds; all when empty.
    pub kinds: Vec<ConversationKind>,
    /// The archived ones instead of the others.
    pub archived: bool,
    /// Only those with unread messages.
    pub unread_only: bool,
}
