//! How the tables came to be: the ordered list of changes. Each is written once and never edited afterwards.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m20261122_000001_begin;
mod m20261122_000002_archive;
mod m20261122_000003_friends;
mod m20261122_000004_channels;
mod m20261122_000005_closed_accounts;
mod m20261122_000006_friends_by_handle;
mod m20261122_000007_events;
mod m20261123_000008_message_keys;
mod m20261123_000009_message_marks;
mod m20261123_000010_recent_messages;

/// Brings a database to the newest form.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_begin::Migration),
            Box::new(m20261122_000002_archive::Migration),
            Box::new(m20261122_000003_friends::Migration),
            Box::new(m20261122_000004_channels::Migration),
            Box::new(m20261122_000005_closed_accounts::Migration),
            Box::new(m20261122_000006_friends_by_handle::Migration),
            Box::new(m20261122_000007_events::Migration),
            Box::new(m20261123_000008_message_keys::Migration),
            Box::new(m20261123_000009_message_marks::Migration),
            Box::new(m20261123_000010_recent_messages::Migration),
        ]
    }
}
