//! Whom the viewer wants to hear nothing from.

use async_graphql::{Context, ID, Object};

use super::{error::Fault, friend::person, page::connection, scalar::DateTime, user::User};
use crate::model::{self, Id, friend::NewestKey, page::cursor};

/// The viewer's decision to hear nothing from a user. The blocked user is not told.
pub(super) struct Block(pub(super) model::Block);

/// The viewer's decision to hear nothing from a user. The blocked user is not told.
#[Object]
impl Block {
    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Global identifier.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The blocked user.
    async fn user(&self, ctx: &Context<'_>) -> Result<User, Fault> {
        person(ctx, self.0.blocked).await
    }
}

connection! {
    "Page of blocks." BlockConnection { "Blocks with their cursors." Vec<BlockEdge> }
    "A block in a page." BlockEdge { "Position of this block." "The block." Block }
}

impl From<model::Block> for BlockEdge {
    fn from(block: model::Block) -> Self {
        let cursor = cursor(&NewestKey(block.created_at, block.id.uuid()));
        Self {
            cursor,
            node: Block(block),
        }
    }
}
