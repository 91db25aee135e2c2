//! A person.

use super::{Timestamp, UserId, page::Key};

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Unique name.
    pub handle: String,
    /// Name to show.
    pub display_name: String,
    /// Address of a picture.
    pub avatar_url: Option<String>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When a session of theirs that has ended since was last used.
    pub last_seen_at: Option<Timestamp>,
    /// Argon2id in PHC form; leaves the domain nowhere.
    pub password_hash: String,
}

/// Place of a person in a list: by handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserKey(pub String);

impl Key for UserKey {
    const LIST: u8 = b'u';
    fn to_bytes(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(std::str::from_utf8(bytes).ok()?.to_owned()))
    }
}
