//! What writes change between two people.

use super::Batch;
use crate::model::{Block, FriendRequest, FriendRequestStatus, Friendship, News, Pair};

/// Requests of a pair that a decision may look at, the newest.
const REQUESTS_KEPT: usize = 100;

impl Batch {
    /// Adds a request, or answers one.
    pub fn put_friend_request(&mut self, request: FriendRequest) {
        let pair = request.pair();
        self.publish(News::FriendRequestChanged {
            pair,
            request: request.id,
        });
        let requests = &mut self.known.pairs.entry(pair).or_default().requests;
        let was_pending = requests
            .iter()
            .any(|other| other.id == request.id && other.status == FriendRequestStatus::Pending);
        requests.retain(|other| other.id != request.id);
        requests.insert(0, request.clone());
        // As many as are read from the store; without a bound one pair could fill the memory.
        requests.truncate(REQUESTS_KEPT);
        // A count that is not known yet is read when it is needed.
        if let Some(pending) = self.known.pending.get_mut(&request.sender) {
            let is_pending = request.status == FriendRequestStatus::Pending;
            *pending = (*pending + u64::from(is_pending)).saturating_sub(u64::from(was_pending));
        }
        self.requests.insert(request.id, request);
    }

    /// Begins a friendship.
    pub fn begin_friendship(&mut self, friendship: Friendship) {
        let pair = friendship.pair;
        self.publish(News::FriendshipBegan {
            pair,
            friendship: friendship.id,
        });
        self.known.pairs.entry(pair).or_default().friendship = Some(friendship);
        self.changed_pairs.insert(pair);
    }

    /// Ends a friendship, if there is one.
    pub fn end_friendship(&mut self, pair: Pair) {
        let known = self.known.pairs.entry(pair).or_default();
        if let Some(friendship) = known.friendship.take() {
            self.changed_pairs.insert(pair);
            self.publish(News::FriendshipEnded {
                pair,
                friendship: friendship.id,
            });
        }
    }

    /// Adds a block.
    pub fn add_block(&mut self, block: Block) {
        let pair = Pair::new(block.blocker, block.blocked);
        self.publish(News::BlockChanged {
            blocker: block.blocker,
            blocked: block.blocked,
            block: block.id,
        });
        self.known.pairs.entry(pair).or_default().blocks.push(block);
        self.changed_pairs.insert(pair);
    }

    /// Takes a block back.
    pub fn remove_block(&mut self, block: &Block) {
        let pair = Pair::new(block.blocker, block.blocked);
        self.publish(News::BlockChanged {
            blocker: block.blocker,
            blocked: block.blocked,
            block: block.id,
        });
        self.known
            .pairs
            .entry(pair)
            .or_default()
            .blocks
            .retain(|other| other.id != block.id);
        self.changed_pairs.insert(pair);
    }
}
