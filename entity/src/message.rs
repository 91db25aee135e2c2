//! What was said. Rows are written once and never changed.

use sea_orm::entity::prelude::*;

/// A message; a change of the log in its own right, so it carries its position.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "messages")]
pub struct Model {
    /// Where it was said.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// Its number there: 1, 2, 3 … without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i32,
    /// Who said it.
    pub sender_id: Uuid,
    /// What was said.
    pub text: String,
    /// When; never goes back along `seq`.
    pub sent_at: i64,
    /// Its place in the log of the conversation's shard.
    pub position: i64,
    /// The key that its sender gave with it; unique among theirs in the conversation. Found by `message_keys`, or by
    /// reading, where it is newer than the conversation's `keyed_seq`.
    pub idempotency_key: Option<String>,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
