//! Messages are found by their positions through every 64th of them, instead of an index of all.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, integer, uuid},
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum MessageMarks {
    Table,
    ConversationId,
    Position,
    Seq,
}

#[derive(DeriveIden)]
enum Messages {
    Table,
    ConversationId,
    Position,
    Seq,
}

const OLD_INDEX: &str = "messages_position";

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
        let mut marks = Table::create();
        marks
            .table(MessageMarks::Table)
            .col(uuid(MessageMarks::ConversationId))
            .col(big_integer(MessageMarks::Position))
            .col(integer(MessageMarks::Seq))
            .primary_key(
                Index::create()
                    .col(MessageMarks::ConversationId)
                    .col(MessageMarks::Position),
            );
        if manager.get_database_backend() == DbBackend::Sqlite {
            marks.extra("WITHOUT ROWID");
        }
        manager.create_table(marks).await?;
        let columns = [
            MessageMarks::ConversationId.into_iden(),
            MessageMarks::Position.into_iden(),
            MessageMarks::Seq.into_iden(),
        ];
        let marked = Query::select()
            .column(Messages::ConversationId)
            .column(Messages::Position)
            .column(Messages::Seq)
            .from(Messages::Table)
            .and_where(Expr::col(Messages::Seq).modulo(64).eq(0))
            .to_owned();
        let mut fill = Query::insert();
        fill.into_table(MessageMarks::Table).columns(columns);
        let filled = fill.select_from(marked);
        filled.map_err(|error| DbErr::Custom(error.to_string()))?;
        manager.execute(fill).await?;
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
            .col(Messages::Position)
            .to_owned();
        manager.create_index(old).await?;
        let marks = Table::drop().table(MessageMarks::Table).to_owned();
        manager.drop_table(marks).await
    }
}
