//! What the log is made of: changes, each with a dense position in its shard.

use std::sync::Arc;

use super::{
    BlockId, ConversationId, FriendRequestId, FriendshipId, MembershipId, Message, Pair, Role,
    SessionId, Timestamp, UserId,
};

/// A part of the log with a writer of its own.
pub type Shard = u16;

/// The dense number of a change in its shard: 1, 2, 3 …
pub type Position = i64;

/// The newest position of every shard, by shard.
pub type Heads = Arc<[Position]>;

/// In a conversation of more members nobody else is told how far somebody has read.
pub const MARKS_TOLD_MAX: i32 = 100;

/// Some of the positions of a shard, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Which shard.
    pub shard: Shard,
    /// Positions behind this one …
    pub after: Position,
    /// … up to this one.
    pub until: Position,
}

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
        /// What they are.
        role: Role,
        /// Which of the others are told.
        reach: Reach,
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
        /// Which of the others are told.
        reach: Reach,
    },
    /// Somebody was given another role.
    MemberChanged {
        /// Where.
        conversation: ConversationId,
        /// Who.
        user: UserId,
        /// Their membership.
        membership: MembershipId,
        /// What they are now.
        role: Role,
        /// Which of the others are told.
        reach: Reach,
    },
    /// Title, topic, a policy or the archive changed.
    ConversationUpdated {
        /// Which.
        conversation: ConversationId,
        /// Which members are told.
        reach: Reach,
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
        /// Which of the others are told.
        reach: Reach,
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
    /// The person to whom this happened, or who did it, and the other of two, if any: they hear it wherever they are.
    pub fn concerns(&self) -> (Option<UserId>, Option<UserId>) {
        match self {
            Self::MemberJoined { user, .. }
            | Self::MemberLeft { user, .. }
            | Self::MemberChanged { user, .. }
            | Self::ReadMarkMoved { user, .. }
            | Self::ProfileUpdated { user } => (Some(*user), None),
            Self::FriendRequestChanged { pair, .. }
            | Self::FriendshipBegan { pair, .. }
            | Self::FriendshipEnded { pair, .. } => (Some(pair.low), Some(pair.high)),
            Self::BlockChanged { blocker, .. } => (Some(*blocker), None),
            Self::MessageSent(_)
            | Self::ConversationUpdated { .. }
            | Self::ConversationDeleted { .. }
            | Self::AccountClosed { .. }
            | Self::SessionEnded { .. } => (None, None),
        }
    }

    /// Events that this is to one person at most.
    pub fn events_max(&self) -> usize {
        match self {
            Self::MemberChanged { .. }
            | Self::FriendshipBegan { .. }
            | Self::FriendshipEnded { .. } => 2,
            Self::MessageSent(_)
            | Self::MemberJoined { .. }
            | Self::MemberLeft { .. }
            | Self::ConversationUpdated { .. }
            | Self::ConversationDeleted { .. }
            | Self::ReadMarkMoved { .. }
            | Self::ProfileUpdated { .. }
            | Self::FriendRequestChanged { .. }
            | Self::BlockChanged { .. }
            | Self::AccountClosed { .. }
            | Self::SessionEnded { .. } => 1,
        }
    }

    /// Whether this person begins to be a member by it; nothing when it neither begins nor ends their membership.
    pub fn own_membership(&self, own: UserId) -> Option<bool> {
        match self {
            Self::MemberJoined { user, .. } if *user == own => Some(true),
            Self::MemberLeft { user, .. } if *user == own => Some(false),
            // Whoever hears of it was a member.
            Self::ConversationDeleted { .. } => Some(false),
            Self::MemberJoined { .. }
            | Self::MemberLeft { .. }
            | Self::MessageSent(_)
            | Self::MemberChanged { .. }
            | Self::ConversationUpdated { .. }
            | Self::ReadMarkMoved { .. }
            | Self::ProfileUpdated { .. }
            | Self::FriendRequestChanged { .. }
            | Self::FriendshipBegan { .. }
            | Self::FriendshipEnded { .. }
            | Self::BlockChanged { .. }
            | Self::AccountClosed { .. }
            | Self::SessionEnded { .. } => None,
        }
    }

    /// Which members of its conversation are told.
    pub fn reach(&self) -> Reach {
        match self {
            Self::MemberJoined { reach, .. }
            | Self::MemberLeft { reach, .. }
            | Self::MemberChanged { reach, .. }
            | Self::ConversationUpdated { reach, .. }
            | Self::ReadMarkMoved { reach, .. } => *reach,
            Self::MessageSent(_)
            | Self::ConversationDeleted { .. }
            | Self::ProfileUpdated { .. }
            | Self::FriendRequestChanged { .. }
            | Self::FriendshipBegan { .. }
            | Self::FriendshipEnded { .. }
            | Self::BlockChanged { .. }
            | Self::AccountClosed { .. }
            | Self::SessionEnded { .. } => Reach::Everyone,
        }
    }

    /// The conversation that this is about, if any.
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Self::MessageSent(message) => Some(message.conversation),
            Self::MemberJoined { conversation, .. }
            | Self::MemberLeft { conversation, .. }
            | Self::MemberChanged { conversation, .. }
            | Self::ConversationUpdated { conversation, .. }
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

/// Which members of a conversation are told of a change in it, besides those whom it is about. It is decided with the
/// change and kept with it, so that who hears it at once and who reads it later are the same. (A read mark has no row to
/// keep it in; when it is read later the conversation's size is looked at then.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every member.
    Everyone,
    /// Of a read mark nobody; of anything else the owner and the admins.
    Few,
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
