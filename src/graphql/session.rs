//! Signed-in devices.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    context::{address, chat, one_password, sign_in, signed_in, viewer},
    error::{Fault, UserError, payload, payloads},
    scalar::DateTime,
    viewer::Viewer,
};
use crate::{chat::SignedIn, model};

/// One signed-in device.
pub(super) struct Session(pub(super) model::Session);

/// One signed-in device.
#[Object]
impl Session {
    /// When it was signed in.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Name that the device gave itself; null when it gave none.
    async fn device_name(&self) -> Option<&str> {
        self.0.device_name.as_deref()
    }

    /// When it ends if it is not used again.
    async fn expires_at(&self, ctx: &Context<'_>) -> Result<DateTime, Fault> {
        Ok(self.0.expires_at(chat(ctx)?.limits()).into())
    }

    /// Global identifier.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Whether this request used it.
    async fn is_current(&self, ctx: &Context<'_>) -> Result<bool, Fault> {
        Ok(viewer(ctx)?.is_some_and(|viewer| viewer.session == self.0.id))
    }

    /// When it was last used, to within five minutes.
    async fn last_used_at(&self) -> DateTime {
        self.0.last_used_at.into()
    }
}

/// The secret of a new session. It is shown once; the server keeps only its hash.
#[derive(SimpleObject)]
pub(super) struct SessionToken {
    /// The session.
    session: Session,
    /// Goes into `Authorization: Bearer` and into `connection_init` as `authorization`.
    value: String,
}

impl From<SignedIn> for SessionToken {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            value: signed_in.token.reveal().to_owned(),
            session: Session(signed_in.session),
        }
    }
}

/// Input of `logIn`.
#[derive(InputObject)]
pub(super) struct LogInInput {
    /// Name of the device, up to 64 characters.
    device_name: Option<String>,
    /// Handle of the account.
    handle: String,
    /// Password of the account.
    password: String,
}

/// Result of `logIn`.
#[derive(Default, SimpleObject)]
pub(super) struct LogInPayload {
    /// Token of the new session; null on failure.
    token: Option<SessionToken>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
    /// The viewer; null on failure.
    viewer: Option<Viewer>,
}

/// Input of `logOut`.
#[derive(InputObject)]
pub(super) struct LogOutInput {
    /// Session to end; the current one when left out.
    session_id: Option<ID>,
}

/// Result of `logOut`.
#[derive(Default, SimpleObject)]
pub(super) struct LogOutPayload {
    /// Identifier of the ended session; null on failure.
    ended_session_id: Option<ID>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

payloads!(LogInPayload, LogOutPayload);

#[derive(Default)]
pub(super) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Sign in and get a session.
    async fn log_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: LogInInput,
    ) -> Result<Option<LogInPayload>, Fault> {
        one_password(ctx)?;
        let logging_in = chat(ctx)?.log_in(
            address(ctx)?,
            &input.handle,
            input.password,
            input.device_name,
        );
        let outcome = Box::pin(logging_in).await;
        if let Ok(signed_in) = &outcome {
            sign_in(ctx, signed_in.viewer)?;
        }
        payload(outcome, |signed_in| LogInPayload {
            viewer: Some(Viewer(signed_in.viewer)),
            token: Some(signed_in.into()),
            ..Default::default()
        })
    }

    /// End one session, the current one when none is named. Its sockets close.
    async fn log_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: LogOutInput,
    ) -> Result<Option<LogOutPayload>, Fault> {
        let session = input.session_id.as_deref();
        let outcome = chat(ctx)?
            .log_out(signed_in(ctx)?, session.map(String::as_str))
            .await;
        payload(outcome, |ended| LogOutPayload {
            ended_session_id: Some(ended.to_string().into()),
            ..Default::default()
        })
    }
}
