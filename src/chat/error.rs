//! How a verb can end badly: few kinds, and a closed list of reasons for the one that people can mend.

use std::{sync::Arc, time::Duration};

use crate::{
    live::Broken,
    log::WriteError,
    model::{page::InvalidPage, standing::Denial},
    store,
};

/// Wait so long before trying again when the log is busy.
const BUSY_RETRY: Duration = Duration::from_millis(100);

/// Why a verb did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// The request itself makes no sense: a fault of the client program.
    #[error("{0}")]
    BadInput(String),
    /// A rule said no; people can understand it.
    #[error("refused")]
    Refused(Vec<Rejection>),
    /// Too much of the same; nothing happened.
    #[error("too many requests of this kind; try again in {} ms", retry_after.as_millis())]
    RateLimited {
        /// When it may be tried again.
        retry_after: Duration,
    },
    /// Nothing was stored, or it is not known: the same request with the same key settles it.
    #[error("the server cannot do this now; try again with the same key")]
    Unavailable {
        /// When it may be tried again.
        retry_after: Duration,
    },
    /// A fault of this program.
    #[error("internal error")]
    Internal(Arc<store::Error>),
}

/// One thing that a rule said no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Why, for programs.
    pub reason: Reason,
    /// Which value of the input is at fault; empty when no single one is.
    pub input_path: Vec<String>,
    /// Why, for developers.
    pub message: String,
}

/// Every reason for a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The conversation is archived.
    Archived,
    /// An idempotency key was used before with other content.
    Conflict,
    /// The viewer has no right to do this here.
    Forbidden,
    /// Handle and password do not match.
    InvalidCredentials,
    /// A value breaks a documented limit or format.
    InvalidInput,
    /// A documented quota is used up.
    LimitReached,
    /// It does not exist, or the viewer may not know that it does.
    NotFound,
    /// It needs a friendship first.
    NotFriends,
    /// The handle is taken.
    Taken,
    /// It is in a state that does not allow this.
    WrongState,
}

impl Rejection {
    /// A refusal on account of no single value.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            input_path: Vec::new(),
            message: message.into(),
        }
    }

    /// A refusal on account of a value of the input.
    pub fn at(field: &str, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            input_path: vec![field.to_owned()],
            message: message.into(),
        }
    }

    /// A refusal on account of an item of a list of the input.
    pub fn at_item(field: &str, index: usize, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            input_path: vec![field.to_owned(), index.to_string()],
            message: message.into(),
        }
    }

    /// The conversation is not there for this viewer, or not at all: which of them is not told.
    pub fn no_conversation() -> Self {
        Self::at(
            "conversationId",
            Reason::NotFound,
            "there is no such conversation",
        )
    }
}

impl From<Denial> for Rejection {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Hidden => Self::no_conversation(),
            Denial::NotThere => {
                let message = "you are not in this conversation";
                Self::at("conversationId", Reason::NotFound, message)
            }
            // Which of the two it is is not told.
            Denial::Role | Denial::Banned => {
                Self::new(Reason::Forbidden, "you have no right to do this here")
            }
            Denial::NotFriends => {
                let message = "the two of you are not friends, so this can only be read";
                Self::new(Reason::NotFriends, message)
            }
            Denial::Archived => Self::new(Reason::Archived, "the conversation is archived"),
            Denial::OwnerStays => Self::new(
                Reason::WrongState,
                "an owner who is not alone gives the role away before leaving",
            ),
        }
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(vec![rejection])
    }
}

impl From<InvalidPage> for Error {
    fn from(invalid: InvalidPage) -> Self {
        Self::BadInput(invalid.to_string())
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Arc::new(error).into()
    }
}

impl From<Arc<store::Error>> for Error {
    fn from(error: Arc<store::Error>) -> Self {
        match *error {
            store::Error::Busy(_) => Self::Unavailable {
                retry_after: BUSY_RETRY,
            },
            store::Error::Conflict(_)
            | store::Error::Storage(_)
            | store::Error::Corrupt(_)
            | store::Error::Database(_) => Self::Internal(error),
        }
    }
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Stopping => Self::Unavailable {
                retry_after: BUSY_RETRY,
            },
            Broken::Store(error) => error.into(),
        }
    }
}

impl From<WriteError<Rejection>> for Error {
    fn from(error: WriteError<Rejection>) -> Self {
        match error {
            WriteError::Refused(rejection) => rejection.into(),
            WriteError::Busy | WriteError::Stopped | WriteError::Unknown => Self::Unavailable {
                retry_after: BUSY_RETRY,
            },
            WriteError::Failed(error) => Self::Internal(error),
        }
    }
}
