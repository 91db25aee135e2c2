//! Where in the log some messages of each conversation lie. A message carries its position; of every 64th it is here too,
//! so that any is found by its position by looking at 64 of them.

use sea_orm::entity::prelude::*;

/// A message and its position.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_marks")]
pub struct Model {
    /// Where the message was said.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// Its place in the log of the conversation's shard.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// Its number.
    pub seq: i32,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
