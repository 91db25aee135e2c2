//! What was said last, of all conversations, as it was appended. A row goes among the `messages` of its conversation when
//! that one's turn comes, and lies here for a while after.

use sea_orm::entity::prelude::*;

/// A message that its conversation may not have yet. Columns are those of `message`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recent_messages")]
pub struct Model {
    /// Its place in the log of the one shard.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// Where it was said.
    pub conversation_id: Uuid,
    /// Its number there.
    pub seq: i32,
    /// Who said it.
    pub sender_id: Uuid,
    /// What was said.
    pub text: String,
    /// When.
    pub sent_at: i64,
    /// The key that its sender gave with it.
    pub idempotency_key: Option<String>,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
