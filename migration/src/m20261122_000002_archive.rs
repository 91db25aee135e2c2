//! Conversations can be put away: readable, and closed for writing.

use sea_orm_migration::{prelude::*, schema::big_integer_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Conversations {
    Table,
    ArchivedAt,
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait's signatures leave it out"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let archived_at = Table::alter()
            .table(Conversations::Table)
            .add_column(big_integer_null(Conversations::ArchivedAt))
            .to_owned();
        manager.alter_table(archived_at).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let archived_at = Table::alter()
            .table(Conversations::Table)
            .drop_column(Conversations::ArchivedAt)
            .to_owned();
        manager.alter_table(archived_at).await
    }
}
