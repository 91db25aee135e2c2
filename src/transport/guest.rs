//! Somebody who stays: at the other end of a socket, an event stream or a multipart response.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, pending},
};
use tokio::time::Instant;

use super::Edge;
use crate::{
    chat::{Connection, Viewer},
    graphql::Api,
    model::{Token, UserId},
};

/// How many connections that last each user has. Each is one of `streams_per_user_max`, on whatever wire.
#[derive(Clone, Default)]
pub(super) struct Seats(Arc<Mutex<HashMap<UserId, usize>>>);

impl Seats {
    fn take(&self, user: UserId, max: usize) -> Option<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(user).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Seat {
            user,
            seats: self.clone(),
        })
    }
}

/// One of a user's; given back when it is let go.
struct Seat {
    user: UserId,
    seats: Seats,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

/// Why somebody cannot stay.
pub(super) enum Unwelcome {
    /// The token is not valid, or not any more.
    NoSession,
    /// This user has too many connections that last.
    TooMany,
    /// The token cannot be looked up now.
    Failed,
}

/// Somebody, signed in or not.
pub(super) struct Guest {
    // Not the edge: that holds reservations, and they hold guests.
    api: Arc<Api>,
    session: Option<(Connection, Seat)>,
    /// When the session was last said to be in use.
    used_at: Instant,
}

impl Guest {
    /// Lets somebody in, with a token or without one.
    pub(super) async fn admit(edge: &Edge, token: Option<&Token>) -> Result<Self, Unwelcome> {
        let session = match token {
            None => None,
            Some(token) => Some(Self::session(edge, token).await?),
        };
        Ok(Self {
            api: Arc::clone(&edge.api),
            session,
            used_at: Instant::now(),
        })
    }

    async fn session(edge: &Edge, token: &Token) -> Result<(Connection, Seat), Unwelcome> {
        let chat = edge.api.chat();
        match chat.authenticate_for_long(token).await {
            Ok(Some(connection)) => {
                let max = chat.limits().streams_per_user_max;
                let seat = edge.seats.take(connection.viewer.user, max);
                Ok((connection, seat.ok_or(Unwelcome::TooMany)?))
            }
            Ok(None) => Err(Unwelcome::NoSession),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a token could not be looked up");
                Err(Unwelcome::Failed)
            }
        }
    }

    /// Who it is, if they are signed in.
    pub(super) fn viewer(&self) -> Option<Viewer> {
        self.session
            .as_ref()
            .map(|(connection, _)| connection.viewer)
    }

    /// Waits until their session ends; for ever when they have none.
    pub(super) fn ended(&self) -> BoxFuture<'static, ()> {
        match &self.session {
            Some((connection, _)) => connection.ended().boxed(),
            None => pending().boxed(),
        }
    }

    /// Says that they are there still, as often as that is written down.
    pub(super) fn stays(&mut self) {
        if self.used_at.elapsed() >= self.api.chat().limits().session_touch {
            self.used_at = Instant::now();
            self.use_session();
        }
    }

    fn use_session(&self) {
        if let Some(viewer) = self.viewer() {
            self.api.chat().use_session(viewer);
        }
    }
}

impl Drop for Guest {
    /// Until now they were there.
    fn drop(&mut self) {
        self.use_session();
    }
}
