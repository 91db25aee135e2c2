//! Lists by handle are ranges of an index: a person's friends, and people whose name begins with a text.

use sea_orm_migration::{prelude::*, schema::string};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Friendships {
    Table,
    UserId,
    FriendHandle,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    SearchName,
    Handle,
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
        // A handle does not change while its owner has an account, so it may be written down twice.
        let handle = Table::alter()
            .table(Friendships::Table)
            .add_column(string(Friendships::FriendHandle).default(""))
            .to_owned();
        manager.alter_table(handle).await?;
        manager
            .get_connection()
            .execute_unprepared(
                "UPDATE friendships SET friend_handle =
                 (SELECT handle FROM users WHERE users.id = friendships.friend_id)",
            )
            .await?;
        let by_handle = Index::create()
            .name("friendships_handle")
            .table(Friendships::Table)
            .col(Friendships::UserId)
            .col(Friendships::FriendHandle)
            .to_owned();
        manager.create_index(by_handle).await?;
        drop_index(manager, Users::Table, "users_search_name").await?;
        let by_name = Index::create()
            .name("users_search_name_handle")
            .table(Users::Table)
            .col(Users::SearchName)
            .col(Users::Handle)
            .to_owned();
        manager.create_index(by_name).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_index(manager, Users::Table, "users_search_name_handle").await?;
        let by_name = Index::create()
            .name("users_search_name")
            .table(Users::Table)
            .col(Users::SearchName)
            .to_owned();
        manager.create_index(by_name).await?;
        drop_index(manager, Friendships::Table, "friendships_handle").await?;
        let handle = Table::alter()
            .table(Friendships::Table)
            .drop_column(Friendships::FriendHandle)
            .to_owned();
        manager.alter_table(handle).await
    }
}

async fn drop_index(
    manager: &SchemaManager<'_>,
    table: impl IntoTableRef,
    name: &str,
) -> Result<(), DbErr> {
    let index = Index::drop().name(name).table(table).to_owned();
    manager.drop_index(index).await
}
