//! Changes that have no row of their own to carry their position: who may hear of them, what they are about.

use sea_orm::entity::prelude::*;

/// A change that is neither a message nor a read mark.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "changes")]
pub struct Model {
    /// The part of the log.
    #[sea_orm(primary_key, auto_increment = false)]
    pub shard: i32,
    /// The place there.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// When.
    pub at: i64,
    /// What: `MEMBER_JOINED`, `MEMBER_LEFT`, `MEMBER_CHANGED`, `CONVERSATION_UPDATED`, `CONVERSATION_DELETED`, `PROFILE_UPDATED`,
    /// `ACCOUNT_CLOSED`, `SESSION_ENDED`, `FRIEND_REQUEST_CHANGED`, `FRIENDSHIP_BEGAN`, `FRIENDSHIP_ENDED`, `BLOCK_CHANGED`.
    pub kind: String,
    /// The conversation that it is about.
    pub conversation_id: Option<Uuid>,
    /// The person that it is about.
    pub user_id: Option<Uuid>,
    /// The other of two people that it is about.
    pub other_user_id: Option<Uuid>,
    /// The membership, session, request, friendship or block that it is about.
    pub subject_id: Option<Uuid>,
    /// Of `MEMBER_LEFT` why: `LEFT`, `REMOVED` or `BANNED`, with ` READS ON` behind it when they may still read; of `MEMBER_JOINED` and
    /// `MEMBER_CHANGED` the role.
    pub detail: Option<String>,
    /// Whether only those are told whom it concerns, and not every member.
    pub is_narrow: bool,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
