//! Accounts can be closed, and people are known to have been there.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    LastSeenAt,
    ClosedAt,
}

#[derive(DeriveIden)]
enum ClosingAccounts {
    Table,
    UserId,
}

#[derive(DeriveIden)]
enum Blocks {
    Table,
    BlockedId,
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
        for column in [Users::LastSeenAt, Users::ClosedAt] {
            let column = Table::alter()
                .table(Users::Table)
                .add_column(big_integer_null(column))
                .to_owned();
            manager.alter_table(column).await?;
        }
        let closing = Table::create()
            .table(ClosingAccounts::Table)
            .col(uuid(ClosingAccounts::UserId).primary_key())
            .to_owned();
        manager.create_table(closing).await?;
        // Who ends with an account: those whom it blocks are found by the index that makes a block unique, those who
        // block it by this one.
        let blocked = Index::create()
            .name("blocks_blocked")
            .table(Blocks::Table)
            .col(Blocks::BlockedId)
            .to_owned();
        manager.create_index(blocked).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let blocked = Index::drop()
            .name("blocks_blocked")
            .table(Blocks::Table)
            .to_owned();
        manager.drop_index(blocked).await?;
        let closing = Table::drop().table(ClosingAccounts::Table).to_owned();
        manager.drop_table(closing).await?;
        for column in [Users::ClosedAt, Users::LastSeenAt] {
            let column = Table::alter()
                .table(Users::Table)
                .drop_column(column)
                .to_owned();
            manager.alter_table(column).await?;
        }
        Ok(())
    }
}
