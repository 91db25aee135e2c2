//! Messages are appended to a table of their own before they go to their conversations.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, integer, string_null, text, uuid},
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum RecentMessages {
    Table,
    Position,
    ConversationId,
    Seq,
    SenderId,
    Text,
    SentAt,
    IdempotencyKey,
}

const COLUMNS: &str = "conversation_id, seq, sender_id, text, sent_at, position, idempotency_key";

/// Rows that are not among those of their conversations.
const UNFILED: &str = "recent_messages AS recent WHERE NOT EXISTS (SELECT 1 FROM messages AS filed \
                       WHERE filed.conversation_id = recent.conversation_id AND filed.seq = recent.seq)";

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
        // SQLite appends to a table whose key is called `integer`, of 64 bits, and nothing else.
        let mut position = if manager.get_database_backend() == DbBackend::Sqlite {
            integer(RecentMessages::Position)
        } else {
            big_integer(RecentMessages::Position)
        };
        let recent = Table::create()
            .table(RecentMessages::Table)
            .col(position.primary_key())
            .col(uuid(RecentMessages::ConversationId))
            .col(integer(RecentMessages::Seq))
            .col(uuid(RecentMessages::SenderId))
            .col(text(RecentMessages::Text))
            .col(big_integer(RecentMessages::SentAt))
            .col(string_null(RecentMessages::IdempotencyKey))
            .to_owned();
        manager.create_table(recent).await?;
        // For whoever looks with other eyes than the server's.
        let view = format!(
            "CREATE VIEW all_messages AS SELECT {COLUMNS} FROM messages UNION ALL SELECT {COLUMNS} FROM {UNFILED}"
        );
        let db = manager.get_connection();
        db.execute_unprepared(&view).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for statement in [
            "DROP VIEW all_messages".to_owned(),
            format!(
                "INSERT INTO message_marks (conversation_id, position, seq) \
                 SELECT conversation_id, position, seq FROM {UNFILED} AND seq % 64 = 0"
            ),
            format!("INSERT INTO messages ({COLUMNS}) SELECT {COLUMNS} FROM {UNFILED}"),
        ] {
            db.execute_unprepared(&statement).await?;
        }
        let recent = Table::drop().table(RecentMessages::Table).to_owned();
        manager.drop_table(recent).await
    }
}
