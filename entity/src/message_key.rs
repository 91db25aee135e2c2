//! Which message was sent with which key. Rows come some time after their messages, those of a conversation together.

use sea_orm::entity::prelude::*;

/// A key that a sender gave with a message.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_keys")]
pub struct Model {
    /// Where the message was said.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// Who said it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sender_id: Uuid,
    /// The key that they gave with it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub idempotency_key: String,
    /// The message's number.
    pub seq: i32,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
