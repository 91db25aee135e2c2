//! Signed-in devices: logging in and out, and who a token stands for.

use std::net::IpAddr;

use super::{
    Chat, Error, Reason, Rejection, Viewer,
    input::{Checks, id},
};
use crate::{
    live::{PresenceClaim, SessionWatch},
    log::{Batch, Needs, Write},
    model::{Id, Session, SessionId, Timestamp, Token, UserId, text},
};

/// A new session, with the one showing of its secret.
#[derive(Debug)]
pub struct SignedIn {
    /// Who it stands for.
    pub viewer: Viewer,
    /// The session.
    pub session: Session,
    /// Its secret.
    pub token: Token,
}

/// A connection that lasts, as long as it is held.
pub struct Connection {
    /// Whose.
    pub viewer: Viewer,
    watch: SessionWatch,
    _presence: PresenceClaim,
}

impl Connection {
    /// Waits until the session ends.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.watch.ended()
    }
}

impl Chat {
    /// Signs in, from an address if one is known. An unknown handle and a wrong password give the same answer after the
    /// same time.
    pub async fn log_in(
        &self,
        address: Option<IpAddr>,
        handle: &str,
        password: String,
        device_name: Option<String>,
    ) -> Result<SignedIn, Error> {
        let mut checks = Checks::default();
        let device_name = checks.optional("deviceName", device_name.as_deref(), text::device_name);
        checks.done(Some(()))?;
        // Names that nobody can have need no memory of their own.
        let name: String = handle.chars().take(33).collect();
        let counted = self.rates.log_in(&name, address, self.clock.now())?;
        let user = match text::handle(handle) {
            Ok(handle) => self.store.find_user_by_handle(&handle).await?,
            Err(_) => None,
        };
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let matches = self.passwords.matches(password, hash).await?;
        let Some(user) = user.filter(|_| matches) else {
            counted.failed();
            return Err(wrong().into());
        };
        drop(counted);
        let token = Token::new(&self.random);
        let session = self.new_session(user.id, &token, device_name);
        let viewer = Viewer {
            user: user.id,
            session: session.id,
        };
        let sessions_max = self.limits.sessions_per_user_max;
        let write = LoggingIn {
            password_hash: user.password_hash,
            session: session.clone(),
            sessions_max,
        };
        self.log.write(write).await?;
        Ok(SignedIn {
            viewer,
            session,
            token,
        })
    }

    /// A secret that nobody can guess.
    pub fn new_token(&self) -> Token {
        Token::new(&self.random)
    }

    /// Ends a session of the viewer, the current one when none is named.
    pub async fn log_out(&self, viewer: Viewer, session: Option<&str>) -> Result<SessionId, Error> {
        let session = session.map_or(Ok(viewer.session), |text| id("sessionId", text))?;
        Ok(self
            .log
            .write(LoggingOut {
                user: viewer.user,
                session,
            })
            .await?)
    }

    /// Who a token stands for; none when it is not one, or not any more.
    pub async fn authenticate(&self, token: &Token) -> Result<Option<Viewer>, Error> {
        let now = self.clock.now();
        let found = self.store.find_session_by_token(token.hash()).await?;
        let Some(session) = found.filter(|session| session.is_alive(now, &self.limits)) else {
            return Ok(None);
        };
        if session.wants_touch(now, &self.limits) {
            self.log.write_later(UsingSession {
                user: session.user,
                session: session.id,
                at: now,
            });
        }
        Ok(Some(Viewer {
            user: session.user,
            session: session.id,
        }))
    }

    /// Says that a session is in use, for connections that do not sign in again and again.
    pub fn use_session(&self, viewer: Viewer) {
        let (user, session, at) = (viewer.user, viewer.session, self.clock.now());
        self.log.write_later(UsingSession { user, session, at });
    }

    /// The same for a connection that lasts: it hears when the session ends, and says that somebody is there.
    pub async fn authenticate_for_long(&self, token: &Token) -> Result<Option<Connection>, Error> {
        let Some(viewer) = self.authenticate(token).await? else {
            return Ok(None);
        };
        let watch = self.hub.watch_session(viewer.session);
        // It may have ended before the bell was there: what is true now stays watched.
        let lives = self.store.find_session(viewer.session).await?.is_some();
        Ok(lives.then(|| Connection {
            viewer,
            watch,
            _presence: self.hub.claim_presence(viewer.user),
        }))
    }

    /// The viewer's sessions, the current one first.
    pub async fn sessions(&self, viewer: Viewer) -> Result<Vec<Session>, Error> {
        let now = self.clock.now();
        let mut sessions = self.store.list_sessions(viewer.user).await?;
        sessions.retain(|session| session.is_alive(now, &self.limits));
        sessions.sort_by_key(|session| session.id != viewer.session);
        Ok(sessions)
    }

    /// A session of the viewer.
    pub async fn session(&self, viewer: Viewer, id: SessionId) -> Result<Option<Session>, Error> {
        let now = self.clock.now();
        let session = self.store.find_session(id).await?;
        Ok(session
            .filter(|session| session.user == viewer.user && session.is_alive(now, &self.limits)))
    }
}

fn wrong() -> Rejection {
    Rejection::new(
        Reason::InvalidCredentials,
        "handle and password do not match",
    )
}

struct LoggingIn {
    password_hash: String,
    session: Session,
    sessions_max: usize,
}

impl Write for LoggingIn {
    type Outcome = ();
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.session.user.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.user(self.session.user);
        needs.sessions_of(self.session.user);
    }

    fn decide(&self, batch: &mut Batch) -> Result<(), Rejection> {
        let user = self.session.user;
        // The password was compared outside the log; it may have been changed since.
        if batch
            .user(user)
            .is_none_or(|user| user.password_hash != self.password_hash)
        {
            return Err(wrong());
        }
        let mut sessions = batch.sessions_of(user).to_vec();
        sessions.sort_by_key(|session| session.last_used_at);
        let too_many = (sessions.len() + 1).saturating_sub(self.sessions_max);
        for session in sessions.iter().take(too_many) {
            batch.end_session(user, session.id);
        }
        batch.put_session(self.session.clone());
        Ok(())
    }
}

struct LoggingOut {
    user: UserId,
    session: SessionId,
}

impl Write for LoggingOut {
    type Outcome = SessionId;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.user.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.sessions_of(self.user);
    }

    fn decide(&self, batch: &mut Batch) -> Result<SessionId, Rejection> {
        if batch
            .sessions_of(self.user)
            .iter()
            .all(|session| session.id != self.session)
        {
            return Err(Rejection::at(
                "sessionId",
                Reason::NotFound,
                "there is no such session",
            ));
        }
        batch.end_session(self.user, self.session);
        Ok(self.session)
    }
}

struct UsingSession {
    user: UserId,
    session: SessionId,
    at: Timestamp,
}

impl Write for UsingSession {
    type Outcome = ();
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.user.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.sessions_of(self.user);
    }

    fn decide(&self, batch: &mut Batch) -> Result<(), Rejection> {
        let used = batch
            .sessions_of(self.user)
            .iter()
            .find(|session| session.id == self.session)
            .cloned();
        if let Some(session) = used.filter(|session| session.last_used_at < self.at) {
            batch.put_session(Session {
                last_used_at: self.at,
                ..session
            });
        }
        Ok(())
    }
}
