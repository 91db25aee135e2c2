//! People: signing up, profiles, passwords, finding each other.

use std::{collections::HashMap, sync::Arc};

use super::{Chat, Error, Patch, Reason, Rejection, SignedIn, Viewer, input::Checks};
use crate::{
    log::{Batch, Needs, Write},
    model::{
        Id, Page, PageRequest, Session, SessionId, Timestamp, Token, User, UserId,
        page::PageArguments, text, user::UserKey,
    },
};

/// What somebody gives to sign up.
#[derive(Debug)]
pub struct SignUp {
    /// Wanted handle.
    pub handle: String,
    /// Name to show.
    pub display_name: String,
    /// Password.
    pub password: String,
    /// Name of the device.
    pub device_name: Option<String>,
}

/// What somebody changes of how they are shown.
#[derive(Debug)]
pub struct UpdateProfile {
    /// Name to show.
    pub display_name: Patch<String>,
    /// Address of a picture.
    pub avatar_url: Patch<String>,
}

impl Chat {
    /// Makes an account and signs in.
    pub async fn sign_up(&self, input: SignUp) -> Result<SignedIn, Error> {
        let mut checks = Checks::default();
        let handle = checks.value("handle", text::handle(&input.handle));
        let display_name = checks.value("displayName", text::display_name(&input.display_name));
        let password = checks.value("password", text::password(&input.password));
        let device_name = checks.optional(
            "deviceName",
            input.device_name.as_deref(),
            text::device_name,
        );
        let ((handle, display_name), password) =
            checks.done(handle.zip(display_name).zip(password))?;
        // Asked before the hashing, which is dear, and decided again by the log.
        if self.store.find_user_by_handle(&handle).await?.is_some() {
            return Err(taken().into());
        }
        let token = Token::new(&self.random);
        let last_byte = self.random.bytes::<1>()[0];
        let created_at = self.clock.now();
        let user = User {
            id: self.new_id(last_byte),
            handle,
            display_name,
            avatar_url: None,
            created_at,
            last_seen_at: None,
            password_hash: self.passwords.hash(password).await?,
        };
        let session = self.new_session(user.id, &token, device_name);
        let viewer = Viewer {
            user: user.id,
            session: session.id,
        };
        self.log
            .write(SigningUp {
                user,
                session: session.clone(),
            })
            .await?;
        Ok(SignedIn {
            viewer,
            session,
            token,
        })
    }

    /// Changes the viewer's password and ends their other sessions.
    pub async fn change_password(
        &self,
        viewer: Viewer,
        current: String,
        new: &str,
    ) -> Result<(), Error> {
        let mut checks = Checks::default();
        let new = checks.value("newPassword", text::password(new));
        let new = checks.done(new)?;
        let user = self.with_password(viewer, current, wrong).await?;
        let new_hash = self.passwords.hash(new).await?;
        let write = ChangingPassword {
            viewer,
            old_hash: user.password_hash,
            new_hash,
        };
        Ok(self.log.write(write).await?)
    }

    /// The viewer, if this is their password; tries are counted like those to log in.
    pub(super) async fn with_password(
        &self,
        viewer: Viewer,
        password: String,
        wrong: fn() -> Rejection,
    ) -> Result<User, Error> {
        let user = self
            .store
            .find_user(viewer.user)
            .await?
            .ok_or(Error::Unauthenticated)?;
        let counted = self.rates.log_in(&user.handle, None, self.clock.now())?;
        let matches = self
            .passwords
            .matches(password, Some(&user.password_hash))
            .await?;
        if !matches {
            counted.failed();
            return Err(wrong().into());
        }
        Ok(user)
    }

    /// Changes how the viewer is shown.
    pub async fn update_profile(
        &self,
        viewer: Viewer,
        input: &UpdateProfile,
    ) -> Result<Arc<User>, Error> {
        let mut checks = Checks::default();
        let display_name = checks.patch(
            "displayName",
            input.display_name.as_deref(),
            text::display_name,
        );
        let avatar_url =
            checks.nullable_patch("avatarUrl", input.avatar_url.as_deref(), text::avatar_url);
        checks.done(Some(()))?;
        let user = self
            .log
            .write(UpdatingProfile {
                user: viewer.user,
                display_name,
                avatar_url,
            })
            .await?;
        Ok(Arc::new(user))
    }

    /// A person, if they are in memory: messages come from the same few again and again.
    pub fn known_user(&self, id: UserId) -> Option<Arc<User>> {
        self.profiles.known(id)
    }

    /// People.
    pub async fn users_by_id(&self, ids: &[UserId]) -> Result<HashMap<UserId, Arc<User>>, Error> {
        Ok(self.profiles.find_many(ids).await?)
    }

    /// The person with this handle.
    pub async fn user_by_handle(&self, handle: &str) -> Result<Option<Arc<User>>, Error> {
        Ok(self.store.find_user_by_handle(handle).await?.map(Arc::new))
    }

    /// People whose handle or display name begins with a text.
    pub async fn users(
        &self,
        _: Viewer,
        search: &str,
        page: &PageArguments,
    ) -> Result<Page<User>, Error> {
        if !(2..=32).contains(&search.chars().count()) {
            return Err(Error::BadInput(
                "`search` must have 2 to 32 characters".to_owned(),
            ));
        }
        let request: PageRequest<UserKey> = PageRequest::parse(page, &self.limits)?;
        Ok(self.store.search_users(search, &request).await?)
    }

    /// Whether nobody has an account yet.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(!self.store.has_users().await?)
    }

    pub(super) fn new_session(
        &self,
        user: UserId,
        token: &Token,
        device_name: Option<String>,
    ) -> Session {
        let now: Timestamp = self.clock.now();
        Session {
            id: self.new_id::<SessionId>(user.last_byte()),
            user,
            token_hash: token.hash(),
            device_name,
            created_at: now,
            last_used_at: now,
        }
    }
}

/// Whoever asks has closed their account a moment ago.
pub(super) fn account_is_gone() -> Rejection {
    Rejection::new(Reason::NotFound, "the account is gone")
}

fn wrong() -> Rejection {
    let message = "the password is not the current one";
    Rejection::at("currentPassword", Reason::InvalidCredentials, message)
}

fn taken() -> Rejection {
    Rejection::at("handle", Reason::Taken, "the handle is taken")
}

struct SigningUp {
    user: User,
    session: Session,
}

impl Write for SigningUp {
    type Outcome = ();
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.user.id.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.handle(&self.user.handle);
    }

    fn decide(&self, batch: &mut Batch) -> Result<(), Rejection> {
        if batch.is_taken(&self.user.handle) {
            return Err(taken());
        }
        batch.add_user(self.user.clone());
        batch.put_session(self.session.clone());
        Ok(())
    }
}

struct ChangingPassword {
    viewer: Viewer,
    old_hash: String,
    new_hash: String,
}

impl Write for ChangingPassword {
    type Outcome = ();
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.viewer.user.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.user(self.viewer.user);
        needs.sessions_of(self.viewer.user);
    }

    fn decide(&self, batch: &mut Batch) -> Result<(), Rejection> {
        // The password was compared outside the log; another change may have come between.
        if batch
            .user(self.viewer.user)
            .is_none_or(|user| user.password_hash != self.old_hash)
        {
            return Err(wrong());
        }
        let others: Vec<_> = batch
            .sessions_of(self.viewer.user)
            .iter()
            .map(|session| session.id)
            .collect();
        batch.change_password(self.viewer.user, self.new_hash.clone());
        for session in others
            .into_iter()
            .filter(|session| *session != self.viewer.session)
        {
            batch.end_session(self.viewer.user, session);
        }
        Ok(())
    }
}

struct UpdatingProfile {
    user: UserId,
    display_name: Option<String>,
    avatar_url: Patch<String>,
}

impl Write for UpdatingProfile {
    type Outcome = User;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.user.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.user(self.user);
    }

    fn decide(&self, batch: &mut Batch) -> Result<User, Rejection> {
        let Some(before) = batch.user(self.user) else {
            return Err(account_is_gone());
        };
        let mut after = before.clone();
        if let Some(display_name) = &self.display_name {
            after.display_name.clone_from(display_name);
        }
        self.avatar_url.apply(&mut after.avatar_url);
        if after != *before {
            batch.update_profile(after.clone());
        }
        Ok(after)
    }
}
