//! The one place where an error is given a code.
//!
//! What people can understand or mend is data, in a payload's `userErrors`. Faults of the client program or of the
//! server are errors of the response, with `extensions.code`.

use std::sync::Arc;

use async_graphql::{Enum, ErrorExtensionValues, ServerError, SimpleObject};

use crate::{
    chat::{Error, Reason, Rejection},
    store,
};

/// Codes of errors of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Nobody is signed in, or the token is none.
    Unauthenticated,
    /// Not for this viewer.
    Forbidden,
    /// An argument makes no sense.
    BadUserInput,
    /// The document is not valid, or too much.
    QueryRejected,
    /// A hash stands for no document that is known here; the client sends both.
    PersistedQueryNotFound,
    /// Too much of the same.
    RateLimited,
    /// It took too long.
    Timeout,
    /// Not now.
    Unavailable,
    /// A fault of the server.
    Internal,
}

impl Code {
    /// As clients see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::QueryRejected => "QUERY_REJECTED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::RateLimited => "RATE_LIMITED",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error on its way out of a resolver. Not printable on purpose: whatever is printable turns into an error of the
/// response by itself, without a code.
#[derive(Debug)]
pub(super) struct Fault(async_graphql::Error);

impl Fault {
    fn new(code: Code, message: String) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", code.as_str());
        Self(async_graphql::Error {
            message,
            source: None,
            extensions: Some(extensions),
        })
    }

    /// As an error of a response, at no field.
    pub(super) fn into_server_error(self) -> ServerError {
        let mut error = ServerError::new(self.0.message, None);
        error.extensions = self.0.extensions;
        error.source = self.0.source;
        error
    }

    /// The context lacks what every request has: a fault of ours.
    pub(super) fn from_graphql(error: &async_graphql::Error) -> Self {
        tracing::error!(error = error.message, "a resolver lacks its context");
        Self::new(Code::Internal, "internal error".to_owned())
    }
}

impl From<Fault> for async_graphql::Error {
    fn from(fault: Fault) -> Self {
        fault.0
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let retry = |code, after: std::time::Duration| {
            let mut fault = Self::new(code, message.clone());
            let millis = u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1);
            fault
                .0
                .extensions
                .get_or_insert_default()
                .set("retryAfterMs", millis);
            fault
        };
        match error {
            Error::Unauthenticated => Self::new(Code::Unauthenticated, message),
            Error::BadInput(message) => Self::new(Code::BadUserInput, message),
            Error::RateLimited { retry_after } => retry(Code::RateLimited, retry_after),
            Error::Unavailable { retry_after } => retry(Code::Unavailable, retry_after),
            // Outside a payload there is no list for these: what is not there is told like what is not allowed.
            Error::Refused(rejections) => {
                let message = rejections
                    .into_iter()
                    .next()
                    .map_or_else(String::new, |rejection| rejection.message);
                Self::new(Code::Forbidden, message)
            }
            Error::Internal(source) => {
                let mut fault = Self::new(Code::Internal, message);
                fault.0.source = Some(source);
                fault
            }
        }
    }
}

/// An error that came before any resolver.
pub fn failure(code: Code, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    tag(&mut error, code);
    error
}

/// The same for what may go well in a second.
pub fn failure_for_now(code: Code, message: impl Into<String>) -> ServerError {
    let mut error = failure(code, message);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("retryAfterMs", 1_000);
    error
}

/// Gives an error its code.
pub(super) fn tag(error: &mut ServerError, code: Code) {
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", code.as_str());
}

/// Gives the errors of a response what clients count on: a code each, and a request id on those that are our fault,
/// under which the cause is logged, once, here.
pub(super) fn finish(errors: &mut [ServerError], request_id: &str) {
    for error in errors {
        let cause = error
            .source::<Arc<store::Error>>()
            .cloned()
            .or_else(|| error.source.clone()?.downcast().ok());
        let at = error.path.is_empty();
        let extensions = error.extensions.get_or_insert_default();
        if let Some(cause) = cause {
            let cause: Arc<store::Error> = cause;
            tracing::error!(
                request_id,
                error = &*cause as &dyn std::error::Error,
                "a request failed"
            );
            extensions.set("requestId", request_id);
        }
        if extensions.get("code").is_none() {
            // The library's own: a document that is not valid has no path, a value that does not fit has one.
            let code = if at {
                Code::QueryRejected
            } else {
                Code::BadUserInput
            };
            extensions.set("code", code.as_str());
        }
    }
}

/// Every reason a mutation can refuse. New values may be added at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum UserErrorCode {
    /// The conversation is archived.
    Archived,
    /// The idempotency key was used before with other content.
    Conflict,
    /// The viewer has no right to do this here, or is blocked or banned; which of them is not told.
    Forbidden,
    /// The handle and password do not match.
    InvalidCredentials,
    /// A value breaks a documented limit or format.
    InvalidInput,
    /// A documented quota (members, pending requests) is used up.
    LimitReached,
    /// The object does not exist, or the viewer may not know that it does.
    NotFound,
    /// It needs a friendship first.
    NotFriends,
    /// The handle is taken.
    Taken,
    /// The object is in a state that does not allow this, for example a request that was answered otherwise.
    WrongState,
}

impl From<Reason> for UserErrorCode {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Archived => Self::Archived,
            Reason::Conflict => Self::Conflict,
            Reason::Forbidden => Self::Forbidden,
            Reason::InvalidCredentials => Self::InvalidCredentials,
            Reason::InvalidInput => Self::InvalidInput,
            Reason::LimitReached => Self::LimitReached,
            Reason::NotFound => Self::NotFound,
            Reason::NotFriends => Self::NotFriends,
            Reason::Taken => Self::Taken,
            Reason::WrongState => Self::WrongState,
        }
    }
}

/// A failure that the person using the client can understand or mend. Failures of the client program or of the server are in the top-level `errors` list instead.
#[derive(Debug, SimpleObject)]
pub(super) struct UserError {
    /// Stable reason; switch on this.
    code: UserErrorCode,
    /// Path of the offending value inside `input`, for example `["text"]` or `["userIds", "3"]`, counted from 0; null when no single value is at fault.
    input_path: Option<Vec<String>>,
    /// English text for developers and logs.
    message: String,
}

impl From<Rejection> for UserError {
    fn from(rejection: Rejection) -> Self {
        let Rejection {
            reason,
            input_path,
            message,
        } = rejection;
        let input_path = Some(input_path).filter(|path| !path.is_empty());
        Self {
            code: reason.into(),
            input_path,
            message,
        }
    }
}

/// The result of a mutation: with everything null it says why there is nothing.
pub(super) trait Payload: Default {
    /// Where the reasons go.
    fn user_errors(&mut self) -> &mut Vec<UserError>;
}

/// A payload from what became of a verb.
pub(super) fn payload<T, P: Payload>(
    outcome: Result<T, Error>,
    succeed: impl FnOnce(T) -> P,
) -> Result<Option<P>, Fault> {
    match outcome {
        Ok(value) => Ok(Some(succeed(value))),
        Err(Error::Refused(rejections)) => {
            let mut payload = P::default();
            payload
                .user_errors()
                .extend(rejections.into_iter().map(UserError::from));
            Ok(Some(payload))
        }
        Err(error) => Err(error.into()),
    }
}

/// Says of payload types that they have a field `user_errors`.
macro_rules! payloads {
    ($($name:ty),* $(,)?) => {$(
        impl $crate::graphql::error::Payload for $name {
            fn user_errors(&mut self) -> &mut Vec<$crate::graphql::error::UserError> {
                &mut self.user_errors
            }
        }
    )*};
}
pub(super) use payloads;
