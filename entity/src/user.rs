//! People.

use sea_orm::entity::prelude::*;

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Unique name, lower case.
    pub handle: String,
    /// Name to show.
    pub display_name: String,
    /// The name to show, folded: searched by its beginning.
    pub search_name: String,
    /// Address of a picture.
    pub avatar_url: Option<String>,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// When the account was made.
    pub created_at: i64,
    /// When a session of theirs that has ended since was last used.
    pub last_seen_at: Option<i64>,
    /// When the account was closed; everything reads by it.
    pub closed_at: Option<i64>,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
