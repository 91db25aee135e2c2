//! By what channels are found.

use sea_orm::entity::prelude::*;

/// The title of a channel from one of its words on, folded: searched by its beginning.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channel_words")]
pub struct Model {
    /// The text.
    #[sea_orm(primary_key, auto_increment = false)]
    pub word: String,
    /// Which channel.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
}

/// None: rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
