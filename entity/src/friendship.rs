//! Friendships: two rows each, one for either side. They go when the friendship ends.

use sea_orm::entity::prelude::*;

/// One side of a friendship.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "friendships")]
pub struct Model {
    /// Whose side.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Their friend.
    #[sea_orm(primary_key, auto_increment = false)]
    pub friend_id: Uuid,
    /// The friend's handle, which does not change while they have an account: lists are by it.
    pub friend_handle: String,
    /// Which friendship; the same on both sides.
    pub id: Uuid,
    /// When it began.
    pub created_at: i64,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
