//! VERBS: what people do. Who may do it, and what it changes; one file per noun.
//!
//! Each verb that changes something is a [`Write`](crate::log::Write): its rule is a decision over rows that stand
//! still, made by the shard's writer in the order of the log. Each verb that reads decides here what the viewer may
//! see, for every way in: field, `node`, stream.

mod account;
mod admission;
mod archive;
mod ban;
mod block;
mod channel;
mod conversation;
mod direct;
mod error;
mod event;
mod friend;
mod friend_request;
mod input;
mod membership;
mod message;
mod password;
mod place;
mod presence;
mod rate;
mod reading;
mod session;
mod typing;
mod user;

use std::sync::Arc;

use tokio::sync::Notify;

pub use conversation::{CreateConversation, UpdateConversation};
pub use direct::OpenedDirect;
pub use error::{Error, Reason, Rejection};
pub use event::{Event, Events, Happening, Removal};
pub use friend_request::{Answer, Asked};
pub use input::Patch;
pub use membership::AddedMembers;
pub use message::{MessagesBetween, Sent};
pub use session::{Connection, SignedIn};
pub use user::{SignUp, UpdateProfile};

use crate::{
    fault::Faults,
    live::Hub,
    log::{Log, Profiles},
    model::{Clock, Heads, Id, Limits, Random, SessionId, UserId},
    store::Store,
};
use password::Passwords;
use rate::Rates;

/// Who asks: a person, and the session by which they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// Who.
    pub user: UserId,
    /// By which device.
    pub session: SessionId,
}

/// What the verbs stand on.
pub struct Parts {
    /// For reading.
    pub store: Store,
    /// For writing.
    pub log: Log,
    /// People, in memory.
    pub profiles: Arc<Profiles>,
    /// For listening.
    pub hub: Arc<Hub>,
    /// The bounds.
    pub limits: Arc<Limits>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<Random>,
    /// What a test planted.
    pub faults: Faults,
}

/// Everything that people can do.
pub struct Chat {
    store: Store,
    log: Log,
    profiles: Arc<Profiles>,
    hub: Arc<Hub>,
    limits: Arc<Limits>,
    clock: Arc<dyn Clock>,
    random: Arc<Random>,
    faults: Faults,
    passwords: Passwords,
    rates: Rates,
    /// Rings when an account was closed: what ties it to others is to be ended.
    account_closed: Notify,
}

impl Chat {
    /// Begins.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            store,
            log,
            profiles,
            hub,
            limits,
            clock,
            random,
            faults,
        } = parts;
        let passwords = Passwords::new(
            limits.password_hashes_at_once,
            limits.password_hashes_waiting,
            Arc::clone(&random),
        );
        let rates = Rates::new(Arc::clone(&limits));
        Self {
            store,
            log,
            profiles,
            hub,
            limits,
            clock,
            random,
            faults,
            passwords,
            rates,
            account_closed: Notify::new(),
        }
    }

    /// The bounds.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Where the log stands now. Taken when a request begins: "now" for what it starts.
    pub fn heads(&self) -> Heads {
        self.log.heads()
    }

    /// Whether people can be served: the database answers and the log takes writes.
    pub async fn is_ready(&self) -> bool {
        self.log.is_open() && self.store.ping().await.is_ok()
    }

    fn new_id<I: Id>(&self, last_byte: u8) -> I {
        I::new(self.clock.now(), &self.random, last_byte)
    }
}
