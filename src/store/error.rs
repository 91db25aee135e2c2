//! What can go wrong with the database, as far as the rooms above must tell it apart. Absence is an `Option`, not an error.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// A failure of the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A row was refused because there is one like it.
    #[error("there is a row like one that was to be stored")]
    Conflict(#[source] DbErr),
    /// Somebody else holds the database, or it did not answer in time; trying again may help.
    #[error("the database is busy")]
    Busy(#[source] DbErr),
    /// The disk or the file failed. What was written may or may not be there, so nothing may be acknowledged any more.
    #[error("the database's storage failed")]
    Storage(#[source] DbErr),
    /// A row holds what this program never writes.
    #[error("a row holds an unknown {0}")]
    Corrupt(&'static str),
    /// Anything else.
    #[error("the database refused a statement")]
    Database(#[source] DbErr),
}

#[cfg(feature = "faults")]
impl Error {
    /// As if somebody else held the database.
    pub fn refused_by_a_test() -> Self {
        Self::Busy(DbErr::Custom("refused by a test".to_owned()))
    }

    /// As if the disk had failed.
    pub fn broken_by_a_test() -> Self {
        Self::Storage(DbErr::Custom("broken by a test".to_owned()))
    }
}

impl Error {
    /// A failure to commit: unless the database said that it was held, nobody knows whether it did.
    pub(super) fn at_commit(error: DbErr) -> Self {
        match Self::from(error) {
            busy @ Self::Busy(_) => busy,
            Self::Conflict(error) | Self::Storage(error) | Self::Database(error) => {
                Self::Storage(error)
            }
            corrupt @ Self::Corrupt(_) => corrupt,
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
            return Self::Conflict(error);
        }
        if matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Busy(error);
        }
        match primary_code(&error) {
            // SQLITE_BUSY, SQLITE_LOCKED
            Some(5 | 6) => Self::Busy(error),
            // READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB
            Some(8 | 10 | 11 | 13 | 14 | 26) => Self::Storage(error),
            _ => Self::Database(error),
        }
    }
}

/// The low byte of SQLite's extended result code (<https://sqlite.org/rescode.html>).
pub(super) fn primary_code(error: &DbErr) -> Option<u32> {
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return None;
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return None;
    };
    let sqlx::Error::Database(cause) = &**cause else {
        return None;
    };
    cause.code()?.parse::<u32>().ok().map(|code| code & 0xff)
}
