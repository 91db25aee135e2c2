//! Rows: one file a table, columns only. Instants are milliseconds since 1970, identifiers UUIDs, closed sets text.

pub mod ban;
pub mod block;
pub mod change;
pub mod channel_word;
pub mod closing_account;
pub mod conversation;
pub mod friend_request;
pub mod friendship;
pub mod membership;
pub mod message;
pub mod message_key;
pub mod message_mark;
pub mod origin;
pub mod recent_message;
pub mod session;
pub mod shard;
pub mod user;
