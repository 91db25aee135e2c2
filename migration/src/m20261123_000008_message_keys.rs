//! The keys of messages get a table of their own, into which those of a conversation go together.

use sea_orm_migration::{
    prelude::*,
    schema::{integer, string, uuid},
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum MessageKeys {
    Table,
    ConversationId,
    SenderId,
    IdempotencyKey,
    Seq,
}

#[derive(DeriveIden)]
enum Messages {
    Table,
    ConversationId,
    SenderId,
    IdempotencyKey,
    Seq,
}

#[derive(DeriveIden)]
enum Conversations {
    Table,
    LastSeq,
    KeyedSeq,
}

const OLD_INDEX: &str = "messages_idempotency_key";

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
        manager.create_table(keys(manager)).await?;
        let columns = [
            MessageKeys::ConversationId.into_iden(),
            MessageKeys::SenderId.into_iden(),
            MessageKeys::IdempotencyKey.into_iden(),
            MessageKeys::Seq.into_iden(),
        ];
        let mut fill = Query::insert();
        fill.into_table(MessageKeys::Table).columns(columns);
        let filled = fill.select_from(all_keys());
        filled.map_err(|error| DbErr::Custom(error.to_string()))?;
        manager.execute(fill).await?;
        let keyed_seq = Table::alter()
            .table(Conversations::Table)
            .add_column(integer(Conversations::KeyedSeq).default(0))
            .to_owned();
        manager.alter_table(keyed_seq).await?;
        let all_are_there = Query::update()
            .table(Conversations::Table)
            .value(Conversations::KeyedSeq, Expr::col(Conversations::LastSeq))
            .to_owned();
        manager.execute(all_are_there).await?;
        let old = Index::drop()
            .name(OLD_INDEX)
            .table(Messages::Table)
            .to_owned();
        manager.drop_index(old).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let old = Index::create()
            .name(OLD_INDEX)
            .table(Messages::Table)
            .col(Messages::ConversationId)
            .col(Messages::SenderId)
            .col(Messages::IdempotencyKey)
            .cond_where(Expr::col(Messages::IdempotencyKey).is_not_null())
            .unique()
            .to_owned();
        manager.create_index(old).await?;
        let keyed_seq = Table::alter()
            .table(Conversations::Table)
            .drop_column(Conversations::KeyedSeq)
            .to_owned();
        manager.alter_table(keyed_seq).await?;
        let keys = Table::drop().table(MessageKeys::Table).to_owned();
        manager.drop_table(keys).await
    }
}

fn keys(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut keys = Table::create();
    keys.table(MessageKeys::Table)
        .col(uuid(MessageKeys::ConversationId))
        .col(uuid(MessageKeys::SenderId))
        .col(string(MessageKeys::IdempotencyKey))
        .col(integer(MessageKeys::Seq))
        .primary_key(
            Index::create()
                .col(MessageKeys::ConversationId)
                .col(MessageKeys::SenderId)
                .col(MessageKeys::IdempotencyKey),
        );
    if manager.get_database_backend() == DbBackend::Sqlite {
        // The rows lie in the primary key's own tree: there is nothing else in them.
        keys.extra("WITHOUT ROWID");
    }
    keys
}

fn all_keys() -> SelectStatement {
    Query::select()
        .column(Messages::ConversationId)
        .column(Messages::SenderId)
        .column(Messages::IdempotencyKey)
        .column(Messages::Seq)
        .from(Messages::Table)
        .and_where(Expr::col(Messages::IdempotencyKey).is_not_null())
        .to_owned()
}
