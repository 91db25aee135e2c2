//! Signed-in devices. A row goes when its session ends; the end itself is a change.

use sea_orm::entity::prelude::*;

/// A signed-in device.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// SHA-256 of its secret.
    pub token_hash: Vec<u8>,
    /// The name that the device gave itself.
    pub device_name: Option<String>,
    /// When it was signed in.
    pub created_at: i64,
    /// When it was last used, to within five minutes.
    pub last_used_at: i64,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
