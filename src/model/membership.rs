//! A person's place in a conversation.

use super::{ConversationId, MembershipId, PageRequest, Position, Timestamp, UserId, page::Key};

/// What a member is; each may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May read, and write where the policy lets members write.
    Member,
    /// May change the conversation, add and remove members.
    Admin,
    /// The one that it belongs to.
    Owner,
}

/// One joining of one person in one conversation. When it ends it is kept; coming back is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Which.
    pub id: MembershipId,
    /// Where.
    pub conversation: ConversationId,
    /// Who.
    pub user: UserId,
    /// What they may do.
    pub role: Role,
    /// When they joined.
    pub joined_at: Timestamp,
    /// Position of the joining.
    pub joined_position: Position,
    /// Number of the newest message that they have read.
    pub read_seq: i32,
    /// Position of the newest move of that mark.
    pub read_position: Position,
    /// When that was.
    pub read_at: Timestamp,
}

impl Membership {
    /// A membership that is about to begin: when, where in the log and from which message on is for the log to say.
    pub fn beginning(
        id: MembershipId,
        conversation: ConversationId,
        user: UserId,
        role: Role,
    ) -> Self {
        let joined_at = Timestamp::from_millis(0);
        Self {
            id,
            conversation,
            user,
            role,
            joined_at,
            joined_position: 0,
            read_seq: 0,
            read_position: 0,
            read_at: joined_at,
        }
    }
}

/// Place of a member in a list: by when they joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MembershipKey(pub Position);

impl Key for MembershipKey {
    const LIST: u8 = b'p';
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Position::from_be_bytes(bytes.try_into().ok()?)))
    }
}

/// A page of the members of a conversation, by when they joined.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MembersWanted {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Only with one of these roles; with any when none is named.
    pub roles: Vec<Role>,
    /// Only those who have read up to this number, this person left out.
    pub readers_of: Option<(i32, UserId)>,
    /// Which of them.
    pub page: PageRequest<MembershipKey>,
}
