//! What can go wrong with the database, as far as the rooms above must tell it apart. Absence is an `Option`, not an error.

use rusqlite::ffi;
use sea_orm::{DbErr, RuntimeErr, sqlx};

/// What the database said, to those who read or to the one who writes.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// By SeaORM.
    #[error(transparent)]
    Read(#[from] DbErr),
    /// By SQLite itself.
    #[error(transparent)]
    Write(#[from] rusqlite::Error),
}

/// A failure of the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A row was refused because there is one like it.
    #[error("there is a row like one that was to be stored")]
    Conflict(#[source] Cause),
    /// Somebody else holds the database, or it did not answer in time; trying again may help.
    #[error("the database is busy")]
    Busy(#[source] Cause),
    /// The disk or the file failed. What was written may or may not be there, so nothing may be acknowledged any more.
    #[error("the database's storage failed")]
    Storage(#[source] Cause),
    /// A row holds what this program never writes.
    #[error("a row holds an unknown {0}")]
    Corrupt(&'static str),
    /// Anything else.
    #[error("the database refused a statement")]
    Database(#[source] Cause),
}

#[cfg(feature = "faults")]
impl Error {
    /// As if somebody else held the database.
    pub fn refused_by_a_test() -> Self {
        Self::Busy(DbErr::Custom("refused by a test".to_owned()).into())
    }

    /// As if the disk had failed.
    pub fn broken_by_a_test() -> Self {
        Self::Storage(DbErr::Custom("broken by a test".to_owned()).into())
    }
}

impl Error {
    /// A failure to commit: unless the database said that it was held, nobody knows whether it did.
    pub(super) fn at_commit(error: Self) -> Self {
        match error {
            busy @ Self::Busy(_) => busy,
            Self::Conflict(cause) | Self::Storage(cause) | Self::Database(cause) => {
                Self::Storage(cause)
            }
            corrupt @ Self::Corrupt(_) => corrupt,
        }
    }

    /// What SQLite's extended result code means (<https://sqlite.org/rescode.html>).
    fn with_code(code: Option<i32>, cause: Cause) -> Self {
        match code {
            Some(
                ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                // A message whose key is known gets no number.
                | ffi::SQLITE_CONSTRAINT_NOTNULL,
            ) => Self::Conflict(cause),
            Some(code) => match code & 0xff {
                ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Self::Busy(cause),
                ffi::SQLITE_READONLY
                | ffi::SQLITE_IOERR
                | ffi::SQLITE_CORRUPT
                | ffi::SQLITE_FULL
                | ffi::SQLITE_CANTOPEN
                | ffi::SQLITE_NOTADB => Self::Storage(cause),
                _ => Self::Database(cause),
            },
            None => Self::Database(cause),
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Busy(error.into());
        }
        Self::with_code(code(&error), error.into())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map(|error| error.extended_code);
        Self::with_code(code, error.into())
    }
}

fn code(error: &DbErr) -> Option<i32> {
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return None;
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return None;
    };
    let sqlx::Error::Database(cause) = &**cause else {
        return None;
    };
    cause.code()?.parse().ok()
}
