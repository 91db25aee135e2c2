//! Conversations of two friends, one a pair; channels, by what they are found, and who may not come back.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string, uuid, uuid_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Conversations {
    Table,
    Id,
    Kind,
    LowId,
    HighId,
    ActiveAt,
    ArchivedAt,
    DeletedPosition,
}

#[derive(DeriveIden)]
enum ChannelWords {
    Table,
    Word,
    ConversationId,
}

#[derive(DeriveIden)]
enum Bans {
    Table,
    ConversationId,
    UserId,
    BannedAt,
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
        pairs(manager).await?;
        channels(manager).await?;
        bans(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [Bans::Table.into_iden(), ChannelWords::Table.into_iden()] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        for index in ["conversations_channels", "conversations_pair"] {
            let index = Index::drop()
                .name(index)
                .table(Conversations::Table)
                .to_owned();
            manager.drop_index(index).await?;
        }
        for column in [
            Conversations::HighId.into_iden(),
            Conversations::LowId.into_iden(),
        ] {
            let column = Table::alter()
                .table(Conversations::Table)
                .drop_column(column)
                .to_owned();
            manager.alter_table(column).await?;
        }
        Ok(())
    }
}

async fn pairs(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for column in [Conversations::LowId, Conversations::HighId] {
        let column = Table::alter()
            .table(Conversations::Table)
            .add_column(uuid_null(column))
            .to_owned();
        manager.alter_table(column).await?;
    }
    // One direct conversation for two people, even when both open it at once.
    let once = Index::create()
        .name("conversations_pair")
        .table(Conversations::Table)
        .col(Conversations::LowId)
        .col(Conversations::HighId)
        .cond_where(Expr::col(Conversations::LowId).is_not_null())
        .unique()
        .to_owned();
    manager.create_index(once).await
}

async fn channels(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // The order of `channels`: those that may be joined, by their newest message.
    let by_activity = Index::create()
        .name("conversations_channels")
        .table(Conversations::Table)
        .col(Conversations::ActiveAt)
        .col(Conversations::Id)
        .cond_where(Expr::col(Conversations::Kind).eq("CHANNEL"))
        .cond_where(Expr::col(Conversations::ArchivedAt).is_null())
        .cond_where(Expr::col(Conversations::DeletedPosition).is_null())
        .to_owned();
    manager.create_index(by_activity).await?;
    let words = Table::create()
        .table(ChannelWords::Table)
        .col(string(ChannelWords::Word))
        .col(uuid(ChannelWords::ConversationId))
        .primary_key(
            Index::create()
                .col(ChannelWords::Word)
                .col(ChannelWords::ConversationId),
        )
        .to_owned();
    manager.create_table(words).await?;
    let of_channel = Index::create()
        .name("channel_words_conversation")
        .table(ChannelWords::Table)
        .col(ChannelWords::ConversationId)
        .to_owned();
    manager.create_index(of_channel).await
}

async fn bans(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let bans = Table::create()
        .table(Bans::Table)
        .col(uuid(Bans::ConversationId))
        .col(uuid(Bans::UserId))
        .col(big_integer(Bans::BannedAt))
        .primary_key(Index::create().col(Bans::ConversationId).col(Bans::UserId))
        .to_owned();
    manager.create_table(bans).await?;
    let by_time = Index::create()
        .name("bans_banned_at")
        .table(Bans::Table)
        .col(Bans::ConversationId)
        .col(Bans::BannedAt)
        .col(Bans::UserId)
        .to_owned();
    manager.create_index(by_time).await
}
