//! Hearing nothing from somebody.

use super::{
    Chat, Error, Reason, Rejection, Viewer,
    friend::{other_of, pair_with},
    friend_request::closed,
};
use crate::{
    log::{Batch, Needs, Write},
    model::{
        Block, BlockId, FriendRequestStatus, Page, PageRequest, Pair, UserId, friend::NewestKey,
        page::PageArguments,
    },
};

impl Chat {
    /// Blocks somebody; a friendship and what was asked between the two end.
    pub async fn block_user(&self, viewer: Viewer, user_id: &str) -> Result<Block, Error> {
        let pair = pair_with(viewer, user_id)?;
        let block = self.new_id(pair.last_byte());
        Ok(self
            .log
            .write(Blocking {
                viewer: viewer.user,
                pair,
                block,
            })
            .await?)
    }

    /// Takes a block back.
    pub async fn unblock_user(
        &self,
        viewer: Viewer,
        user_id: &str,
    ) -> Result<(BlockId, UserId), Error> {
        let pair = pair_with(viewer, user_id)?;
        let block = self
            .log
            .write(Unblocking {
                viewer: viewer.user,
                pair,
            })
            .await?;
        Ok((block, pair.other(viewer.user)))
    }

    /// A block that the viewer holds.
    pub async fn block(&self, viewer: Viewer, id: BlockId) -> Result<Option<Block>, Error> {
        let found = self.store.find_block(id).await?;
        let theirs = found.filter(|found| found.blocker == viewer.user);
        let Some(found) = theirs else { return Ok(None) };
        let blocked = self.users_by_id(&[found.blocked]).await?;
        Ok((!blocked.is_empty()).then_some(found))
    }

    /// People whom the viewer blocks, newest first.
    pub async fn blocks(&self, viewer: Viewer, page: &PageArguments) -> Result<Page<Block>, Error> {
        let request: PageRequest<NewestKey> = PageRequest::parse(page, &self.limits)?;
        Ok(self.store.list_blocks(viewer.user, &request).await?)
    }
}

struct Blocking {
    viewer: UserId,
    pair: Pair,
    block: BlockId,
}

impl Write for Blocking {
    type Outcome = Block;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.pair.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.pair(self.pair);
    }

    fn decide(&self, batch: &mut Batch) -> Result<Block, Rejection> {
        let blocked = other_of(batch, self.viewer, self.pair)?;
        let between = batch.between(self.pair);
        if let Some(block) = between.block_by(self.viewer) {
            return Ok(block.clone());
        }
        let pending = between.pending().cloned();
        let block = Block {
            id: self.block,
            blocker: self.viewer,
            blocked,
            created_at: batch.at(),
        };
        if let Some(request) = pending {
            let cancelled = closed(&request, FriendRequestStatus::Cancelled, batch);
            batch.put_friend_request(cancelled);
        }
        batch.end_friendship(self.pair);
        batch.add_block(block.clone());
        Ok(block)
    }
}

struct Unblocking {
    viewer: UserId,
    pair: Pair,
}

impl Write for Unblocking {
    type Outcome = BlockId;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.pair.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.pair(self.pair);
    }

    fn decide(&self, batch: &mut Batch) -> Result<BlockId, Rejection> {
        let block = batch.between(self.pair).block_by(self.viewer).cloned();
        let block = block.ok_or_else(|| {
            Rejection::at("userId", Reason::NotFound, "you do not block this user")
        })?;
        batch.remove_block(&block);
        Ok(block.id)
    }
}
