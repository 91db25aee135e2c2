//! The parts of the log and where each stands.

use sea_orm::entity::prelude::*;

/// A part of the log.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "shards")]
pub struct Model {
    /// Which, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    /// Position of the newest change in it.
    pub head: i64,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
