//! The one row that says which history this database holds.

use sea_orm::entity::prelude::*;

/// Where this history began; written when the database is made.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "origin")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The life of this history, a random value; another one after a restore that lost changes.
    pub epoch: Vec<u8>,
    /// Number of shards, a power of two, fixed when the database is made.
    pub shards: i32,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
