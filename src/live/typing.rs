//! Who is typing where.

use std::time::Duration;

use tokio::time::Instant;

use super::{Watch, board::State};
use crate::model::{ConversationId, Heads, Pair, UserId};

/// People who are told of in one conversation at most; one more is left out.
const TYPERS_MAX: usize = 1_000;

/// Somebody who is typing, and until when that is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typer {
    /// Who.
    pub user: UserId,
    /// Until then, unless told again.
    pub until: Instant,
    /// Of a direct conversation, the two: it ends with their friendship.
    pub(super) pair: Option<Pair>,
}

/// Those who are typing in one conversation, the one who began first in front.
#[derive(Debug, Default)]
pub struct Typers(Vec<Typer>);

/// What somebody says of their own typing.
#[derive(Debug, Clone)]
pub struct TypingSignal {
    /// Whether they type.
    pub is_typing: bool,
    /// Of a direct conversation, the two.
    pub pair: Option<Pair>,
    /// Where the log stood before it was read that they may.
    pub read_at: Heads,
}

/// One person's watch over who types in some conversations.
pub type TypingFeed = Watch<Typers>;

impl Typers {
    /// Somebody types: told again, it counts once in a while only. Whether it counted.
    pub(super) fn begin(&mut self, typer: Typer, refresh: Duration) -> bool {
        if let Some(there) = self.0.iter_mut().find(|other| other.user == typer.user) {
            let counts = there.until + refresh <= typer.until;
            if counts {
                there.until = typer.until;
            }
            return counts;
        }
        let has_room = self.0.len() < TYPERS_MAX;
        if has_room {
            self.0.push(typer);
        }
        has_room
    }

    fn end_those(&mut self, stops: impl Fn(&Typer) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|typer| !stops(typer));
        self.0.len() < before
    }

    /// Somebody stops; whether they typed.
    pub(super) fn end(&mut self, user: UserId) -> bool {
        self.end_those(|typer| typer.user == user)
    }

    /// Everybody stops; whether anybody typed.
    pub(super) fn end_all(&mut self) -> bool {
        self.end_those(|_| true)
    }

    /// The two are friends no more; whether one of them typed.
    pub(super) fn end_between(&mut self, pair: Pair) -> bool {
        self.end_those(|typer| typer.pair == Some(pair))
    }

    /// Forgets those who have said nothing for long.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.0.retain(|typer| typer.until > now);
    }
}

impl State for Typers {
    type Topic = ConversationId;
    type View = Vec<Typer>;

    fn view(&self, viewer: UserId, now: Instant) -> Vec<Typer> {
        let others = self.0.iter().filter(|typer| typer.user != viewer);
        others.filter(|typer| typer.until > now).copied().collect()
    }

    fn runs_out(&self, now: Instant) -> Option<Instant> {
        let ends = self.0.iter().map(|typer| typer.until);
        ends.filter(|until| *until > now).min()
    }

    fn is_idle(&self, now: Instant) -> bool {
        self.0.iter().all(|typer| typer.until <= now)
    }
}
