//! The first tables: people, their devices, conversations, memberships, messages, and the log that orders them.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, binary_len, integer, string, string_null, text, uuid,
        uuid_null,
    },
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    Handle,
    DisplayName,
    SearchName,
    AvatarUrl,
    PasswordHash,
    CreatedAt,
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    Id,
    UserId,
    TokenHash,
    DeviceName,
    CreatedAt,
    LastUsedAt,
}

#[derive(DeriveIden)]
enum Conversations {
    Table,
    Id,
    Kind,
    Title,
    Topic,
    PostingPolicy,
    InvitePolicy,
    CreatedAt,
    CreatorId,
    CreationKey,
    MemberCount,
    LastSeq,
    ActiveAt,
    HeadPosition,
    DeletedPosition,
}

#[derive(DeriveIden)]
enum Memberships {
    Table,
    Id,
    ConversationId,
    UserId,
    Role,
    JoinedAt,
    JoinedPosition,
    ReadSeq,
    ReadPosition,
    LeftPosition,
    LeftReason,
}

#[derive(DeriveIden)]
enum Messages {
    Table,
    ConversationId,
    Seq,
    SenderId,
    Text,
    SentAt,
    Position,
    IdempotencyKey,
}

#[derive(DeriveIden)]
enum Changes {
    Table,
    Shard,
    Position,
    At,
    Kind,
    ConversationId,
    UserId,
    SubjectId,
}

#[derive(DeriveIden)]
enum Shards {
    Table,
    Number,
    Head,
}

#[derive(DeriveIden)]
enum Origin {
    Table,
    Id,
    Epoch,
    Shards,
}

fn is_one_of(column: impl IntoIden, values: &[&'static str]) -> SimpleExpr {
    Expr::col(column).is_in(values.iter().copied())
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait's signatures leave it out"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite runs migrations outside a transaction unless told: a crash in the middle would leave half of the tables.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        people(manager).await?;
        conversations(manager).await?;
        memberships(manager).await?;
        messages(manager).await?;
        log(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            Origin::Table.into_iden(),
            Shards::Table.into_iden(),
            Changes::Table.into_iden(),
            Messages::Table.into_iden(),
            Memberships::Table.into_iden(),
            Conversations::Table.into_iden(),
            Sessions::Table.into_iden(),
            Users::Table.into_iden(),
        ];
        for table in tables {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn people(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let users = Table::create()
        .table(Users::Table)
        .col(uuid(Users::Id).primary_key())
        .col(string(Users::Handle))
        .col(string(Users::DisplayName))
        .col(string(Users::SearchName))
        .col(string_null(Users::AvatarUrl))
        .col(string(Users::PasswordHash))
        .col(big_integer(Users::CreatedAt))
        .to_owned();
    manager.create_table(users).await?;
    let by_handle = Index::create()
        .name("users_handle")
        .table(Users::Table)
        .col(Users::Handle)
        .unique()
        .to_owned();
    manager.create_index(by_handle).await?;
    let by_name = Index::create()
        .name("users_search_name")
        .table(Users::Table)
        .col(Users::SearchName)
        .to_owned();
    manager.create_index(by_name).await?;

    let sessions = Table::create()
        .table(Sessions::Table)
        .col(uuid(Sessions::Id).primary_key())
        .col(uuid(Sessions::UserId))
        .col(binary_len(Sessions::TokenHash, 32))
        .col(string_null(Sessions::DeviceName))
        .col(big_integer(Sessions::CreatedAt))
        .col(big_integer(Sessions::LastUsedAt))
        .foreign_key(
            ForeignKey::create()
                .from(Sessions::Table, Sessions::UserId)
                .to(Users::Table, Users::Id),
        )
        .to_owned();
    manager.create_table(sessions).await?;
    let by_token = Index::create()
        .name("sessions_token_hash")
        .table(Sessions::Table)
        .col(Sessions::TokenHash)
        .unique()
        .to_owned();
    manager.create_index(by_token).await?;
    let by_user = Index::create()
        .name("sessions_user")
        .table(Sessions::Table)
        .col(Sessions::UserId)
        .to_owned();
    manager.create_index(by_user).await
}

async fn conversations(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let conversations = Table::create()
        .table(Conversations::Table)
        .col(uuid(Conversations::Id).primary_key())
        .col(string(Conversations::Kind).check(is_one_of(
            Conversations::Kind,
            &["GROUP", "CHANNEL", "DIRECT"],
        )))
        .col(string_null(Conversations::Title))
        .col(string_null(Conversations::Topic))
        .col(string(Conversations::PostingPolicy).check(is_one_of(
            Conversations::PostingPolicy,
            &["EVERYONE", "ADMINS"],
        )))
        .col(string(Conversations::InvitePolicy).check(is_one_of(
            Conversations::InvitePolicy,
            &["EVERYONE", "ADMINS"],
        )))
        .col(big_integer(Conversations::CreatedAt))
        .col(uuid(Conversations::CreatorId))
        .col(string_null(Conversations::CreationKey))
        .col(
            integer(Conversations::MemberCount).check(Expr::col(Conversations::MemberCount).gte(0)),
        )
        .col(integer(Conversations::LastSeq))
        .col(big_integer(Conversations::ActiveAt))
        .col(big_integer(Conversations::HeadPosition))
        .col(big_integer_null(Conversations::DeletedPosition))
        .to_owned();
    manager.create_table(conversations).await?;
    let by_creation = Index::create()
        .name("conversations_creation_key")
        .table(Conversations::Table)
        .col(Conversations::CreatorId)
        .col(Conversations::CreationKey)
        .cond_where(Expr::col(Conversations::CreationKey).is_not_null())
        .unique()
        .to_owned();
    manager.create_index(by_creation).await
}

async fn memberships(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let memberships = Table::create()
        .table(Memberships::Table)
        .col(uuid(Memberships::Id).primary_key())
        .col(uuid(Memberships::ConversationId))
        .col(uuid(Memberships::UserId))
        .col(
            string(Memberships::Role)
                .check(is_one_of(Memberships::Role, &["OWNER", "ADMIN", "MEMBER"])),
        )
        .col(big_integer(Memberships::JoinedAt))
        .col(big_integer(Memberships::JoinedPosition))
        .col(integer(Memberships::ReadSeq))
        .col(big_integer(Memberships::ReadPosition))
        .col(big_integer_null(Memberships::LeftPosition))
        .col(string_null(Memberships::LeftReason))
        .foreign_key(
            ForeignKey::create()
                .from(Memberships::Table, Memberships::ConversationId)
                .to(Conversations::Table, Conversations::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .from(Memberships::Table, Memberships::UserId)
                .to(Users::Table, Users::Id),
        )
        .to_owned();
    manager.create_table(memberships).await?;
    // One membership at a time for a person in a conversation; those that ended are kept beside it.
    let current = Index::create()
        .name("memberships_current")
        .table(Memberships::Table)
        .col(Memberships::ConversationId)
        .col(Memberships::UserId)
        .cond_where(Expr::col(Memberships::LeftPosition).is_null())
        .unique()
        .to_owned();
    manager.create_index(current).await?;
    let by_user = Index::create()
        .name("memberships_user")
        .table(Memberships::Table)
        .col(Memberships::UserId)
        .cond_where(Expr::col(Memberships::LeftPosition).is_null())
        .to_owned();
    manager.create_index(by_user).await?;
    // The order of `members`: by when they joined. Positions are taken in that order.
    let by_joining = Index::create()
        .name("memberships_joined")
        .table(Memberships::Table)
        .col(Memberships::ConversationId)
        .col(Memberships::JoinedPosition)
        .cond_where(Expr::col(Memberships::LeftPosition).is_null())
        .to_owned();
    manager.create_index(by_joining).await
}

async fn messages(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut messages = Table::create();
    messages
        .table(Messages::Table)
        .col(uuid(Messages::ConversationId))
        .col(integer(Messages::Seq).check(Expr::col(Messages::Seq).gt(0)))
        .col(uuid(Messages::SenderId))
        .col(text(Messages::Text))
        .col(big_integer(Messages::SentAt))
        .col(big_integer(Messages::Position))
        .col(string_null(Messages::IdempotencyKey))
        .primary_key(
            Index::create()
                .col(Messages::ConversationId)
                .col(Messages::Seq),
        );
    if manager.get_database_backend() == DbBackend::Sqlite {
        // The rows lie in the primary key's own tree, a conversation's messages side by side: one tree to write
        // instead of two, and a page of history is one run of leaves.
        messages.extra("WITHOUT ROWID");
    }
    manager.create_table(messages).await?;
    let by_key = Index::create()
        .name("messages_idempotency_key")
        .table(Messages::Table)
        .col(Messages::ConversationId)
        .col(Messages::SenderId)
        .col(Messages::IdempotencyKey)
        .cond_where(Expr::col(Messages::IdempotencyKey).is_not_null())
        .unique()
        .to_owned();
    manager.create_index(by_key).await
}

async fn log(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let changes = Table::create()
        .table(Changes::Table)
        .col(integer(Changes::Shard))
        .col(big_integer(Changes::Position))
        .col(big_integer(Changes::At))
        .col(string(Changes::Kind))
        .col(uuid_null(Changes::ConversationId))
        .col(uuid_null(Changes::UserId))
        .col(uuid_null(Changes::SubjectId))
        .primary_key(Index::create().col(Changes::Shard).col(Changes::Position))
        .to_owned();
    manager.create_table(changes).await?;
    let shards = Table::create()
        .table(Shards::Table)
        .col(integer(Shards::Number).primary_key())
        .col(big_integer(Shards::Head))
        .to_owned();
    manager.create_table(shards).await?;
    let origin = Table::create()
        .table(Origin::Table)
        .col(
            integer(Origin::Id)
                .primary_key()
                .check(Expr::col(Origin::Id).eq(1)),
        )
        .col(binary_len(Origin::Epoch, 16))
        .col(integer(Origin::Shards).check(Expr::col(Origin::Shards).gt(0)))
        .to_owned();
    manager.create_table(origin).await
}
