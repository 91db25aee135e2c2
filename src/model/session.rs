//! A signed-in device.

use super::{Limits, SessionId, Timestamp, TokenHash, UserId};

/// A signed-in device of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// What is known of its secret.
    pub token_hash: TokenHash,
    /// The name that the device gave itself.
    pub device_name: Option<String>,
    /// When it was signed in.
    pub created_at: Timestamp,
    /// When it was last used, to within [`Limits::session_touch`].
    pub last_used_at: Timestamp,
}

impl Session {
    /// When it ends if it is not used again.
    pub fn expires_at(&self, limits: &Limits) -> Timestamp {
        self.last_used_at.plus(limits.session_idle)
    }

    /// Whether it may still be used.
    pub fn is_alive(&self, now: Timestamp, limits: &Limits) -> bool {
        now < self.expires_at(limits)
    }

    /// Whether its last use is so long ago that it should be written down anew.
    pub fn wants_touch(&self, now: Timestamp, limits: &Limits) -> bool {
        self.last_used_at.plus(limits.session_touch) <= now
    }
}
