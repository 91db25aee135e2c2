//! Who wants to hear nothing from whom.

use sea_orm::entity::prelude::*;

/// A block; it goes when it is taken back.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blocks")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who blocks.
    pub blocker_id: Uuid,
    /// Whom.
    pub blocked_id: Uuid,
    /// When it was made.
    pub created_at: i64,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
