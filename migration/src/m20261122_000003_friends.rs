//! What lies between two people: requests, friendships, blocks.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, string, uuid, uuid_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum FriendRequests {
    Table,
    Id,
    SenderId,
    RecipientId,
    LowId,
    HighId,
    Status,
    CreatedAt,
    ClosedAt,
}

#[derive(DeriveIden)]
enum Friendships {
    Table,
    UserId,
    FriendId,
    Id,
    CreatedAt,
}

#[derive(DeriveIden)]
enum Blocks {
    Table,
    Id,
    BlockerId,
    BlockedId,
    CreatedAt,
}

#[derive(DeriveIden)]
enum Changes {
    Table,
    OtherUserId,
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
        requests(manager).await?;
        friendships(manager).await?;
        blocks(manager).await?;
        let other = Table::alter()
            .table(Changes::Table)
            .add_column(uuid_null(Changes::OtherUserId))
            .to_owned();
        manager.alter_table(other).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let other = Table::alter()
            .table(Changes::Table)
            .drop_column(Changes::OtherUserId)
            .to_owned();
        manager.alter_table(other).await?;
        for table in [
            Blocks::Table.into_iden(),
            Friendships::Table.into_iden(),
            FriendRequests::Table.into_iden(),
        ] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn requests(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let states = ["PENDING", "ACCEPTED", "REJECTED", "CANCELLED"];
    let requests = Table::create()
        .table(FriendRequests::Table)
        .col(uuid(FriendRequests::Id).primary_key())
        .col(uuid(FriendRequests::SenderId))
        .col(uuid(FriendRequests::RecipientId))
        .col(uuid(FriendRequests::LowId))
        .col(uuid(FriendRequests::HighId))
        .col(string(FriendRequests::Status).check(Expr::col(FriendRequests::Status).is_in(states)))
        .col(big_integer(FriendRequests::CreatedAt))
        .col(big_integer_null(FriendRequests::ClosedAt))
        .to_owned();
    manager.create_table(requests).await?;
    // One pending request between two people, whoever asked: even when both ask at once.
    let pending = Index::create()
        .name("friend_requests_pending")
        .table(FriendRequests::Table)
        .col(FriendRequests::LowId)
        .col(FriendRequests::HighId)
        .cond_where(Expr::col(FriendRequests::Status).eq("PENDING"))
        .unique()
        .to_owned();
    manager.create_index(pending).await?;
    let by_pair = Index::create()
        .name("friend_requests_pair")
        .table(FriendRequests::Table)
        .col(FriendRequests::LowId)
        .col(FriendRequests::HighId)
        .col(FriendRequests::CreatedAt)
        .to_owned();
    manager.create_index(by_pair).await?;
    for (name, column) in [
        ("friend_requests_sender", FriendRequests::SenderId),
        ("friend_requests_recipient", FriendRequests::RecipientId),
    ] {
        let index = Index::create()
            .name(name)
            .table(FriendRequests::Table)
            .col(column)
            .col(FriendRequests::Status)
            .col(FriendRequests::CreatedAt)
            .to_owned();
        manager.create_index(index).await?;
    }
    Ok(())
}

async fn friendships(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // A row for each of the two, so that a person's friends, and friends in common, are ranges of the primary key.
    let friendships = Table::create()
        .table(Friendships::Table)
        .col(uuid(Friendships::UserId))
        .col(uuid(Friendships::FriendId))
        .col(uuid(Friendships::Id))
        .col(big_integer(Friendships::CreatedAt))
        .primary_key(
            Index::create()
                .col(Friendships::UserId)
                .col(Friendships::FriendId),
        )
        .to_owned();
    manager.create_table(friendships).await?;
    let by_id = Index::create()
        .name("friendships_id")
        .table(Friendships::Table)
        .col(Friendships::Id)
        .col(Friendships::UserId)
        .unique()
        .to_owned();
    manager.create_index(by_id).await
}

async fn blocks(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let blocks = Table::create()
        .table(Blocks::Table)
        .col(uuid(Blocks::Id).primary_key())
        .col(uuid(Blocks::BlockerId))
        .col(uuid(Blocks::BlockedId))
        .col(big_integer(Blocks::CreatedAt))
        .to_owned();
    manager.create_table(blocks).await?;
    let once = Index::create()
        .name("blocks_once")
        .table(Blocks::Table)
        .col(Blocks::BlockerId)
        .col(Blocks::BlockedId)
        .unique()
        .to_owned();
    manager.create_index(once).await
}
