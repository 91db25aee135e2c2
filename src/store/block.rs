//! Who wants to hear nothing from whom.

use entity::{
    block::{Column, Entity, Model},
    user,
};
use sea_orm::{
    ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, prelude::Uuid,
};

use super::{Error, Store, behind, user::is_here};
use crate::model::{Block, BlockId, Id, Page, PageRequest, Timestamp, UserId, friend::NewestKey};

pub(super) fn block_from_row(row: &Model) -> Block {
    Block {
        id: BlockId::from_uuid(row.id),
        blocker: UserId::from_uuid(row.blocker_id),
        blocked: UserId::from_uuid(row.blocked_id),
        created_at: Timestamp::from_millis(row.created_at),
    }
}

impl Store {
    /// A block.
    pub async fn find_block(&self, id: BlockId) -> Result<Option<Block>, Error> {
        let row = Entity::find_by_id(id.uuid()).one(&self.db).await?;
        Ok(row.as_ref().map(block_from_row))
    }

    /// A person's blocks, newest first.
    pub async fn list_blocks(
        &self,
        of: UserId,
        request: &PageRequest<NewestKey>,
    ) -> Result<Page<Block>, Error> {
        let blocked = Entity::belongs_to(user::Entity)
            .from(Column::BlockedId)
            .to(user::Column::Id);
        let mut select = Entity::find()
            .filter(Column::BlockerId.eq(of.uuid()))
            .filter(is_here())
            .join(JoinType::InnerJoin, blocked.into())
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(u64::from(request.items) + 1);
        if let Some(NewestKey(at, id)) = request.after {
            select = select.filter(behind(Column::CreatedAt, Column::Id, (at, id)));
        }
        let rows = select.all(&self.db).await?;
        Ok(Page::from_rows(
            rows.iter().map(block_from_row).collect(),
            request,
        ))
    }

    /// The blocks that somebody holds against any of these others.
    pub(super) async fn blocks_among(
        &self,
        of: UserId,
        others: &[Uuid],
    ) -> Result<Vec<Block>, Error> {
        let rows = Entity::find()
            .filter(Column::BlockerId.eq(of.uuid()))
            .filter(Column::BlockedId.is_in(others.iter().copied()))
            .all(&self.db)
            .await?;
        Ok(rows.iter().map(block_from_row).collect())
    }
}
