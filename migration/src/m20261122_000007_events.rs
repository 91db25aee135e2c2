//! What somebody missed can be found by where they stopped hearing, at the cost of what it is.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, boolean, string_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Changes {
    Table,
    Shard,
    Position,
    Kind,
    ConversationId,
    UserId,
    OtherUserId,
    SubjectId,
    Detail,
    IsNarrow,
}

#[derive(DeriveIden)]
enum Conversations {
    Table,
    HeadPosition,
}

#[derive(DeriveIden)]
enum Messages {
    Table,
    ConversationId,
    Position,
}

#[derive(DeriveIden)]
enum Memberships {
    Table,
    Id,
    JoinedAt,
    ReadAt,
    LeftReason,
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
        add_columns(manager).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, table) in [
            ("conversations_head", Conversations::Table.into_iden()),
            ("messages_position", Messages::Table.into_iden()),
            ("changes_conversation", Changes::Table.into_iden()),
            ("changes_user", Changes::Table.into_iden()),
            ("changes_other_user", Changes::Table.into_iden()),
            ("changes_profile", Changes::Table.into_iden()),
        ] {
            let drop = Index::drop().name(name).table(table).to_owned();
            manager.drop_index(drop).await?;
        }
        for (table, column) in [
            (Changes::Table.into_iden(), Changes::Detail.into_iden()),
            (Changes::Table.into_iden(), Changes::IsNarrow.into_iden()),
            (
                Memberships::Table.into_iden(),
                Memberships::ReadAt.into_iden(),
            ),
        ] {
            let drop = Table::alter().table(table).drop_column(column).to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}

async fn add_columns(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // SQLite adds one column a statement.
    for column in [
        string_null(Changes::Detail),
        boolean(Changes::IsNarrow).default(false).to_owned(),
    ] {
        let add = Table::alter()
            .table(Changes::Table)
            .add_column(column)
            .to_owned();
        manager.alter_table(add).await?;
    }
    let read_at = Table::alter()
        .table(Memberships::Table)
        .add_column(big_integer(Memberships::ReadAt).default(0))
        .to_owned();
    manager.alter_table(read_at).await?;
    // What is there already: nobody knows any more when it was read, but not before the joining.
    let since_joining = Query::update()
        .table(Memberships::Table)
        .value(Memberships::ReadAt, Expr::col(Memberships::JoinedAt))
        .to_owned();
    manager.execute(since_joining).await?;
    let reason = Query::select()
        .column(Memberships::LeftReason)
        .from(Memberships::Table)
        .and_where(
            Expr::col((Memberships::Table, Memberships::Id))
                .equals((Changes::Table, Changes::SubjectId)),
        )
        .to_owned();
    let reasons = Query::update()
        .table(Changes::Table)
        .value(
            Changes::Detail,
            SimpleExpr::SubQuery(None, Box::new(reason.into())),
        )
        .and_where(Expr::col(Changes::Kind).eq("MEMBER_LEFT"))
        .to_owned();
    manager.execute(reasons).await
}

fn indexes() -> [IndexCreateStatement; 6] {
    let changes = |name: &str| Index::create().name(name).table(Changes::Table).to_owned();
    [
        // Which conversations moved.
        Index::create()
            .name("conversations_head")
            .table(Conversations::Table)
            .col(Conversations::HeadPosition)
            .to_owned(),
        // What was said there since.
        Index::create()
            .name("messages_position")
            .table(Messages::Table)
            .col(Messages::ConversationId)
            .col(Messages::Position)
            .to_owned(),
        // What else happened there since.
        changes("changes_conversation")
            .col(Changes::ConversationId)
            .col(Changes::Position)
            .cond_where(Expr::col(Changes::ConversationId).is_not_null())
            .to_owned(),
        // What happened to somebody.
        changes("changes_user")
            .col(Changes::UserId)
            .col(Changes::Shard)
            .col(Changes::Position)
            .cond_where(Expr::col(Changes::UserId).is_not_null())
            .to_owned(),
        changes("changes_other_user")
            .col(Changes::OtherUserId)
            .col(Changes::Shard)
            .col(Changes::Position)
            .cond_where(Expr::col(Changes::OtherUserId).is_not_null())
            .to_owned(),
        // Who looks different.
        changes("changes_profile")
            .col(Changes::Shard)
            .col(Changes::Position)
            .cond_where(Expr::col(Changes::Kind).eq("PROFILE_UPDATED"))
            .to_owned(),
    ]
}
