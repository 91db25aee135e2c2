//! Who is connected. A person is there as long as one of their devices is, and a little longer: a quick reconnect is not
//! seen.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Hub, Watch, board::State};
use crate::model::UserId;

/// The devices of one person.
#[derive(Debug, Default)]
pub struct Devices {
    connected: u32,
    /// After the last one has gone they are shown as there until then.
    shown_until: Option<Instant>,
}

/// One person's watch over who is there.
pub type PresenceFeed = Watch<Devices>;

impl Devices {
    /// Some came or went; whether there is none left now.
    pub(super) fn change(&mut self, by: i32, shown_until: Instant) -> bool {
        let before = self.connected;
        self.connected = self.connected.saturating_add_signed(by);
        let all_gone = before > 0 && self.connected == 0;
        if self.connected > 0 {
            self.shown_until = None;
        } else if all_gone {
            self.shown_until = Some(shown_until);
        }
        all_gone
    }

    fn are_shown(&self, now: Instant) -> bool {
        self.connected > 0 || self.shown_until.is_some_and(|until| until > now)
    }
}

impl State for Devices {
    type Topic = UserId;
    type View = bool;

    fn view(&mut self, _: UserId, now: Instant) -> bool {
        self.are_shown(now)
    }

    fn runs_out(&self, now: Instant) -> Option<Instant> {
        self.shown_until.filter(|until| *until > now)
    }

    fn is_idle(&self, now: Instant) -> bool {
        !self.are_shown(now)
    }
}

/// Says that a device of somebody is connected, for as long as it is held.
pub struct PresenceClaim {
    hub: Arc<Hub>,
    user: UserId,
}

impl PresenceClaim {
    pub(super) fn new(hub: &Arc<Hub>, user: UserId) -> Self {
        hub.signals.device(user, 1);
        let hub = Arc::clone(hub);
        Self { hub, user }
    }
}

impl Drop for PresenceClaim {
    fn drop(&mut self) {
        self.hub.signals.device(self.user, -1);
    }
}
