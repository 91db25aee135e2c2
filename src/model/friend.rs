//! What lies between two people: requests, a friendship, blocks; and the rules about them.

use std::time::Duration;

use super::{BlockId, FriendRequestId, FriendshipId, Id, Timestamp, UserId, page::Key};

/// Who was rejected may ask again after this time.
pub const ASK_AGAIN_AFTER: Duration = Duration::from_hours(24);

/// Two people, whichever is named first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The smaller identifier.
    pub low: UserId,
    /// The larger.
    pub high: UserId,
}

impl Pair {
    /// These two.
    pub fn new(one: UserId, other: UserId) -> Self {
        Self {
            low: one.min(other),
            high: one.max(other),
        }
    }

    /// The other one.
    pub fn other(self, one: UserId) -> UserId {
        if one == self.low { self.high } else { self.low }
    }

    /// The byte by which all that lies between the two lies in one shard.
    pub fn last_byte(self) -> u8 {
        use sha2::{Digest, Sha256};
        let pair = Sha256::new()
            .chain_update(self.low.uuid().as_bytes())
            .chain_update(self.high.uuid().as_bytes());
        pair.finalize()[0]
    }
}

/// Where a request stands. It leaves `Pending` once and never returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FriendRequestStatus {
    /// Not answered yet.
    Pending,
    /// Answered with yes.
    Accepted,
    /// Answered with no.
    Rejected,
    /// Withdrawn, or ended by a block or the end of an account.
    Cancelled,
}

/// Which side of a request somebody is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FriendRequestDirection {
    /// They were asked.
    Received,
    /// They asked.
    Sent,
}

/// A request to become friends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendRequest {
    /// Which.
    pub id: FriendRequestId,
    /// Who asked.
    pub sender: UserId,
    /// Who was asked.
    pub recipient: UserId,
    /// Where it stands.
    pub status: FriendRequestStatus,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it was answered or withdrawn.
    pub closed_at: Option<Timestamp>,
}

impl FriendRequest {
    /// The two people.
    pub fn pair(&self) -> Pair {
        Pair::new(self.sender, self.recipient)
    }
}

/// Two people who agreed to be friends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Friendship {
    /// Which.
    pub id: FriendshipId,
    /// Who.
    pub pair: Pair,
    /// Since when.
    pub created_at: Timestamp,
}

/// One person's wish to hear nothing from another. The other is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Which.
    pub id: BlockId,
    /// Who blocks.
    pub blocker: UserId,
    /// Whom.
    pub blocked: UserId,
    /// When it was made.
    pub created_at: Timestamp,
}

/// All that lies between two people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relationship {
    /// The friendship.
    pub friendship: Option<Friendship>,
    /// The newest request of either, newest first: at most one of them is pending.
    pub requests: Vec<FriendRequest>,
    /// Blocks, in either direction.
    pub blocks: Vec<Block>,
}

impl Relationship {
    /// The request that waits for an answer.
    pub fn pending(&self) -> Option<&FriendRequest> {
        self.requests
            .iter()
            .find(|request| request.status == FriendRequestStatus::Pending)
    }

    /// The newest request of the two.
    pub fn newest_request(&self) -> Option<&FriendRequest> {
        self.requests
            .iter()
            .max_by_key(|request| (request.created_at, request.id))
    }

    /// The block that one of the two holds.
    pub fn block_by(&self, blocker: UserId) -> Option<&Block> {
        self.blocks.iter().find(|block| block.blocker == blocker)
    }

    /// Whether somebody may ask: nobody blocks the other, and the last rejection of theirs is a day ago.
    pub fn may_ask(&self, asker: UserId, now: Timestamp) -> bool {
        let rejected_lately = self.requests.iter().any(|request| {
            request.sender == asker
                && request.status == FriendRequestStatus::Rejected
                && request
                    .closed_at
                    .is_some_and(|at| now < at.plus(ASK_AGAIN_AFTER))
        });
        self.blocks.is_empty() && !rejected_lately
    }
}

/// Whether somebody sees whether another is there: friends see each other, and everybody themself.
pub fn sees_presence(viewer: UserId, of: UserId, are_friends: bool) -> bool {
    viewer == of || are_friends
}

/// Place of a request or block in a list: the newest first, equal instants by identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewestKey(pub Timestamp, pub uuid::Uuid);

impl Key for NewestKey {
    const LIST: u8 = b'n';
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.0.millis().to_be_bytes().to_vec();
        bytes.extend(self.1.as_bytes());
        bytes
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (at, id) = bytes.split_first_chunk::<8>()?;
        let id = uuid::Uuid::from_slice(id).ok()?;
        Some(Self(Timestamp::from_millis(i64::from_be_bytes(*at)), id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn a_pair_is_the_same_from_either_side() {
        let (one, two) = (user(1), user(2));
        assert_eq!(Pair::new(one, two), Pair::new(two, one));
        assert_eq!(Pair::new(two, one).other(one), two);
        assert_eq!(
            Pair::new(one, two).last_byte(),
            Pair::new(two, one).last_byte()
        );
    }

    #[test]
    fn who_was_rejected_asks_again_after_a_day_and_the_other_at_once() {
        let at = Timestamp::from_millis;
        let rejected = FriendRequest {
            id: FriendRequestId::from_uuid(uuid::Uuid::nil()),
            sender: user(1),
            recipient: user(2),
            status: FriendRequestStatus::Rejected,
            created_at: at(0),
            closed_at: Some(at(1_000)),
        };
        let between = Relationship {
            requests: vec![rejected],
            ..Relationship::default()
        };
        let day = 24 * 3_600_000;
        assert!(!between.may_ask(user(1), at(1_000 + day - 1)));
        assert!(between.may_ask(user(1), at(1_000 + day)));
        assert!(between.may_ask(user(2), at(1_001)));
    }
}
