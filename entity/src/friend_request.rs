//! Requests to become friends; kept for ever.

use sea_orm::entity::prelude::*;

/// A request. It leaves `PENDING` once and never returns.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "friend_requests")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who asked.
    pub sender_id: Uuid,
    /// Who was asked.
    pub recipient_id: Uuid,
    /// The smaller of the two identifiers.
    pub low_id: Uuid,
    /// The larger of the two.
    pub high_id: Uuid,
    /// `PENDING`, `ACCEPTED`, `REJECTED` or `CANCELLED`.
    pub status: String,
    /// When it was sent.
    pub created_at: i64,
    /// When it was answered or withdrawn.
    pub closed_at: Option<i64>,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
