//! Who is typing where.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Rendered, Watch, board::State};
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
pub struct Typers {
    all: Vec<Typer>,
    /// What those who don't type were shown last, and since when.
    shown: Option<(Typing, Instant)>,
}

/// Those who are typing in one conversation, as somebody sees them.
#[derive(Debug, Clone)]
pub struct Typing {
    /// The others who type.
    pub typers: Vec<Typer>,
    /// Where those who don't type themselves, and so see the same at this moment, find what was made of it.
    pub common: Option<Arc<Rendered>>,
}

impl PartialEq for Typing {
    fn eq(&self, other: &Self) -> bool {
        self.typers == other.typers
    }
}

/// What was made for one who looked is used for others who look so soon after: it may say how long it stands.
const SHARED_WITHIN: Duration = Duration::from_millis(50);

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
        if let Some(there) = self.all.iter_mut().find(|other| other.user == typer.user) {
            let counts = there.until + refresh <= typer.until;
            if counts {
                there.until = typer.until;
            }
            return counts;
        }
        let has_room = self.all.len() < TYPERS_MAX;
        if has_room {
            self.all.push(typer);
        }
        has_room
    }

    fn end_those(&mut self, stops: impl Fn(&Typer) -> bool) -> bool {
        let before = self.all.len();
        self.all.retain(|typer| !stops(typer));
        self.all.len() < before
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
        self.all.retain(|typer| typer.until > now);
    }
}

impl State for Typers {
    type Topic = ConversationId;
    type View = Typing;

    fn view(&mut self, viewer: UserId, now: Instant) -> Typing {
        let mut typers = self.all.clone();
        typers.retain(|typer| typer.until > now);
        if typers.iter().any(|typer| typer.user == viewer) {
            typers.retain(|typer| typer.user != viewer);
            return Typing {
                typers,
                common: None,
            };
        }
        if let Some((shown, since)) = &self.shown
            && shown.typers == typers
            && now <= *since + SHARED_WITHIN
        {
            return shown.clone();
        }
        let shown = Typing {
            typers,
            common: Some(Arc::default()),
        };
        self.shown = Some((shown.clone(), now));
        shown
    }

    fn runs_out(&self, now: Instant) -> Option<Instant> {
        let ends = self.all.iter().map(|typer| typer.until);
        ends.filter(|until| *until > now).min()
    }

    fn is_idle(&self, now: Instant) -> bool {
        self.all.iter().all(|typer| typer.until <= now)
    }
}
