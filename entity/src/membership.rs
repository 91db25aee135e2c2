//! Who is, and was, in which conversation.

use sea_orm::entity::prelude::*;

/// One joining of one person in one conversation; kept when it ends.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where.
    pub conversation_id: Uuid,
    /// Who.
    pub user_id: Uuid,
    /// `OWNER`, `ADMIN` or `MEMBER`.
    pub role: String,
    /// When they joined.
    pub joined_at: i64,
    /// Position of the joining.
    pub joined_position: i64,
    /// Number of the newest message that they have read.
    pub read_seq: i32,
    /// Position of the newest move of that mark.
    pub read_position: i64,
    /// When that was.
    pub read_at: i64,
    /// Position of the leaving; unset while they are a member.
    pub left_position: Option<i64>,
    /// `LEFT`, `REMOVED` or `BANNED`.
    pub left_reason: Option<String>,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
