//! Conversations, and where each stands.

use sea_orm::entity::prelude::*;

/// A place where messages are kept in one order.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "conversations")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `DIRECT`, `GROUP` or `CHANNEL`.
    pub kind: String,
    /// Title.
    pub title: Option<String>,
    /// What it is about.
    pub topic: Option<String>,
    /// `EVERYONE` or `ADMINS`.
    pub posting_policy: String,
    /// `EVERYONE` or `ADMINS`.
    pub invite_policy: String,
    /// When it was made.
    pub created_at: i64,
    /// Who made it.
    pub creator_id: Uuid,
    /// The key that they gave with the making; unique among theirs.
    pub creation_key: Option<String>,
    /// How many members it has.
    pub member_count: i32,
    /// Number of the newest message.
    pub last_seq: i32,
    /// When the newest message was sent, or it was made.
    pub active_at: i64,
    /// Position of the newest change in it.
    pub head_position: i64,
    /// When it was archived.
    pub archived_at: Option<i64>,
    /// Set when it was deleted; everything reads by it.
    pub deleted_position: Option<i64>,
    /// Of a direct conversation, the one of the two with the smaller identifier.
    pub low_id: Option<Uuid>,
    /// The other one.
    pub high_id: Option<Uuid>,
    /// Up to which message the senders' keys are in `message_keys`.
    pub keyed_seq: i32,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
