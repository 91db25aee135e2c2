//! What the log is made of: changes, each with a dense position in its shard.

use std::sync::Arc;

use super::{
    BlockId, ConversationId, FriendRequestId, FriendshipId, MembershipId, Message, Pair, SessionId,
    Timestamp, UserId,
};

/// A part of the log with a writer of its own.
pub type Shard = u16;

/// The dense number of a change in its shard: 1, 2, 3 …
pub type Position = i64;

/// The newest position of every shard, by shard.
pub type Heads = Arc<[Position]>;

/// Something that was committed and that somebody may hear about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where in the log.
    pub shard: Shard,
    /// The place there.
    pub position: Position,
    /// When.
    pub at: Timestamp,
    /// What.
    pub news: News,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A message was sent.
    MessageSent(Arc<Message>),
    /// Somebody joined or was added.
    MemberJoined {
        /// Where.
        conversation: ConversationId,
        /// Who.
        user: UserId,
        /// The membership that began.
        membership: MembershipId,
    },
    /// Somebody left or was removed.
    MemberLeft {
        /// Where.
        conversation: ConversationId,
        /// Who.
        user: UserId,
        /// The membership that ended.
        membership: MembershipId,
        /// Why.
        reason: RemovalReason,
        /// Whether they may read on: a channel that they left, or were removed from without a ban.
        reads_on: bool,
    },
    /// Somebody was given another role.
    MemberChanged {
        /// Where.
        conversation: ConversationId,
        /// Who.
        user: UserId,
        /// Their membership.
        membership: MembershipId,
    },
    /// Title, topic, a policy or the archive changed.
    ConversationUpdated {
        /// Which.
        conversation: ConversationId,
    },
    /// Its owner deleted it, or its last member left: it is gone.
    ConversationDeleted {
        /// Which.
        conversation: ConversationId,
    },
    /// Somebody said how far they have read.
    ReadMarkMoved {
        /// Where.
        conversation: ConversationId,
        /// Who.
        user: UserId,
    },
    /// Somebody changed how they are shown.
    ProfileUpdated {
        /// Who.
        user: UserId,
    },
    /// A friend request was made, answered or withdrawn.
    FriendRequestChanged {
        /// Between whom.
        pair: Pair,
        /// Which.
        request: FriendRequestId,
    },
    /// Two people are friends now.
    FriendshipBegan {
        /// Who.
        pair: Pair,
        /// The friendship.
        friendship: FriendshipId,
    },
    /// Two people are friends no more.
    FriendshipEnded {
        /// Who.
        pair: Pair,
        /// The friendship that ended.
        friendship: FriendshipId,
    },
    /// Somebody blocked somebody, or took it back.
    BlockChanged {
        /// Who alone may hear of it.
        blocker: UserId,
        /// Whom.
        blocked: UserId,
        /// Which block.
        block: BlockId,
    },
    /// Somebody's account is closed: they are nobody from here on.
    AccountClosed {
        /// Whose.
        user: UserId,
    },
    /// A device is signed out.
    SessionEnded {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
    },
}

impl News {
    /// The conversation that this is about, if any.
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Self::MessageSent(message) => Some(message.conversation),
            Self::MemberJoined { conversation, .. }
            | Self::MemberLeft { conversation, .. }
            | Self::MemberChanged { conversation, .. }
            | Self::ConversationUpdated { conversation }
            | Self::ConversationDeleted { conversation }
            | Self::ReadMarkMoved { conversation, .. } => Some(*conversation),
            Self::ProfileUpdated { .. }
            | Self::FriendRequestChanged { .. }
            | Self::FriendshipBegan { .. }
            | Self::FriendshipEnded { .. }
            | Self::BlockChanged { .. }
            | Self::AccountClosed { .. }
            | Self::SessionEnded { .. } => None,
        }
    }
}

/// Why a membership ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalReason {
    /// They left.
    Left,
    /// They were removed.
    Removed,
    /// They were removed and may not come back.
    Banned,
}
