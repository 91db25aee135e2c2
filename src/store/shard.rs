//! Where each part of the log stands.

use entity::shard::{ActiveModel, Column, Entity};
use sea_orm::{
    ActiveValue::Set, DatabaseConnection, DbErr, EntityTrait, QueryOrder, sea_query::OnConflict,
};

use super::{Error, Store, Transaction};
use crate::model::{Position, Shard};

/// Makes the rows of a new database; making them again does nothing, so that a crash between here and the row that
/// says so is no harm.
pub(super) async fn create(db: &DatabaseConnection, shards: i32) -> Result<(), DbErr> {
    let rows = (0..shards).map(|number| ActiveModel {
        number: Set(number),
        head: Set(0),
    });
    let on_conflict = OnConflict::column(Column::Number).do_nothing().to_owned();
    Entity::insert_many(rows)
        .on_conflict(on_conflict)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

impl Store {
    /// The newest position of every shard, by shard.
    pub async fn heads(&self) -> Result<Vec<Position>, Error> {
        let rows = Entity::find()
            .order_by_asc(Column::Number)
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|row| row.head).collect())
    }
}

impl Transaction {
    /// The newest position of a shard.
    pub async fn find_head(&self, shard: Shard) -> Result<Position, Error> {
        let row = Entity::find_by_id(i32::from(shard)).one(&self.db).await?;
        row.map(|row| row.head).ok_or(Error::Corrupt("shard"))
    }
}
