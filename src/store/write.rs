//! The one connection that writes. It is SQLite itself, on the thread of whoever commits.
//!
//! SeaORM makes the statements and reads. To run them it hands each to a thread of its own and back, and a transaction is a
//! dozen of them: the hops took half of the time of a commit. PostgreSQL will be written to by SeaORM; there a statement has
//! to travel anyway.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    CachedStatement, Connection, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};
use sea_orm::{Statement, Value};
use tokio::time::{Instant, sleep};

use super::{Error, OpenError};

/// How long a statement waits for another program that holds the database.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How long until the next try to hold it.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// Texts of statements that stay prepared. Appending has eight; others differ with their numbers of rows.
const PREPARED_MAX: usize = 512;

const SETTINGS: &str = concat!(
    "PRAGMA journal_mode = WAL;",
    "PRAGMA synchronous = FULL;",
    "PRAGMA foreign_keys = ON;",
    // A statement of many rows that may fail keeps the pages it changed; in a file that costs more than the statement.
    "PRAGMA temp_store = MEMORY;",
    // Messages that are filed are read from as many pages as they were appended to.
    "PRAGMA cache_size = -8000;",
    // A page that changes often is folded into the database once in so many pages, 8 MiB.
    "PRAGMA wal_autocheckpoint = 2000;",
);

/// A connection that writes.
#[derive(Debug)]
pub(super) struct WriteConnection(Connection);

impl WriteConnection {
    /// Opens it, and reads back what durability rests on.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let unusable = |source: rusqlite::Error| OpenError::Unusable {
            path: PathBuf::from(path),
            source: source.into(),
        };
        let connection = Connection::open(path).map_err(unusable)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(unusable)?;
        connection.execute_batch(SETTINGS).map_err(unusable)?;
        // From here on whoever begins waits, and lets others run on the thread meanwhile.
        connection.busy_timeout(Duration::ZERO).map_err(unusable)?;
        connection.set_prepared_statement_cache_capacity(PREPARED_MAX);
        for (setting, wanted) in [("journal_mode", "wal"), ("synchronous", "2")] {
            let read = |row: &rusqlite::Row<'_>| {
                let value = row.get_ref(0)?;
                let text = || value.as_str().unwrap_or_default().to_owned();
                Ok(value
                    .as_i64()
                    .map_or_else(|_| text(), |number| number.to_string()))
            };
            let found = connection.pragma_query_value(None, setting, read);
            let found = found.map_err(unusable)?;
            if found != wanted {
                return Err(OpenError::Setting {
                    setting,
                    found,
                    wanted,
                });
            }
        }
        Ok(Self(connection))
    }

    /// A statement, prepared if it was not used before.
    pub(super) fn prepare(&self, text: &str) -> Result<CachedStatement<'_>, Error> {
        Ok(self.0.prepare_cached(text)?)
    }

    pub(super) fn run_all(&self, statements: &[Statement]) -> Result<(), Error> {
        statements
            .iter()
            .try_for_each(|statement| self.run(statement))
    }

    fn run(&self, statement: &Statement) -> Result<(), Error> {
        let values = statement.values.iter().flat_map(|values| &values.0);
        let values: Vec<_> = values.map(bound).collect::<Result<_, Error>>()?;
        self.prepare(&statement.sql)?
            .execute(params_from_iter(values))?;
        Ok(())
    }

    /// Begins a transaction, with the write lock from its start: one that began by reading could not be upgraded once another
    /// had written (`SQLITE_BUSY_SNAPSHOT`). Waits for another program that has the lock, but not for ever.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        // Whoever committed may have been dropped on the way.
        self.roll_back()?;
        let patience = Instant::now() + BUSY_TIMEOUT;
        loop {
            match self.try_to_begin() {
                Err(Error::Busy(_)) if Instant::now() < patience => sleep(BUSY_PAUSE).await,
                begun => return begun,
            }
        }
    }

    fn try_to_begin(&self) -> Result<(), Error> {
        self.prepare("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    /// Makes what was stored last. After this returns, neither a crash nor a power cut undoes it.
    pub(super) fn commit(&self) -> Result<(), Error> {
        let committed = self
            .prepare("COMMIT")
            .and_then(|mut commit| Ok(commit.execute([])?));
        committed.map(drop).map_err(Error::at_commit)
    }

    /// Ends the transaction, if there is one; nothing of it lasts.
    pub(super) fn roll_back(&self) -> Result<(), Error> {
        if self.0.is_autocommit() {
            return Ok(());
        }
        // The connection would be in a transaction for ever: nothing more could be acknowledged.
        self.0
            .execute_batch("ROLLBACK")
            .map_err(|error| Error::Storage(error.into()))
    }

    /// Gives the connection back.
    pub(super) fn close(self) {
        if let Err((_, error)) = self.0.close() {
            tracing::warn!(%error, "closing the writer failed");
        }
    }
}

/// A value as SQLite keeps it. Identifiers are their 16 bytes.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "no table has any of the others"
)]
fn bound(value: &Value) -> Result<ToSqlOutput<'_>, Error> {
    fn borrowed(value: Option<ValueRef<'_>>) -> ToSqlOutput<'_> {
        ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null))
    }
    let integer = |number: Option<i64>| borrowed(number.map(ValueRef::Integer));
    Ok(match value {
        Value::Bool(value) => integer(value.map(i64::from)),
        Value::Int(value) => integer(value.map(i64::from)),
        Value::BigInt(value) => integer(*value),
        Value::String(value) => {
            borrowed(value.as_ref().map(|text| ValueRef::Text(text.as_bytes())))
        }
        Value::Bytes(value) => borrowed(value.as_ref().map(|bytes| ValueRef::Blob(bytes))),
        Value::Uuid(value) => borrowed(value.as_ref().map(|id| ValueRef::Blob(id.as_bytes()))),
        _ => return Err(Error::Corrupt("type of value")),
    })
}

#[cfg(test)]
mod tests {
    use sea_orm::DbBackend;

    use super::*;

    fn statement(text: &str, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(DbBackend::Sqlite, text, values)
    }

    fn names(connection: &WriteConnection) -> Vec<String> {
        let mut names = connection.prepare("SELECT name FROM people").expect("one");
        let names = names.query_map([], |row| row.get(0)).expect("rows");
        names.collect::<Result<_, _>>().expect("texts")
    }

    #[tokio::test]
    async fn of_a_transaction_that_is_refused_nothing_is_left_and_the_next_one_stands() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut connection =
            WriteConnection::open(&directory.path().join("people.db")).expect("a database");
        let table = "CREATE TABLE people (name TEXT NOT NULL UNIQUE)";
        connection
            .run_all(&[statement(table, Vec::new())])
            .expect("a table");
        let person =
            |name: Option<&str>| statement("INSERT INTO people VALUES (?)", vec![name.into()]);
        for refused in [Some("Alice"), None] {
            connection.begin().await.expect("begun");
            let stored = connection.run_all(&[person(Some("Alice")), person(refused)]);
            assert!(matches!(stored, Err(Error::Conflict(_))), "{stored:?}");
            connection.roll_back().expect("rolled back");
            connection.roll_back().expect("there is nothing to end");
        }
        assert!(names(&connection).is_empty());
        connection.begin().await.expect("begun");
        connection
            .run_all(&[person(Some("Bob"))])
            .expect("somebody");
        connection.commit().expect("committed");
        assert_eq!(names(&connection), ["Bob"]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_have_the_lock_is_told_in_the_end_that_it_is_held() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("people.db");
        let mut holder = WriteConnection::open(&path).expect("a database");
        let mut other = WriteConnection::open(&path).expect("the same");
        holder.begin().await.expect("begun");
        assert!(matches!(other.begin().await, Err(Error::Busy(_))));
        let let_go = async {
            sleep(BUSY_TIMEOUT / 2).await;
            holder.commit()
        };
        let (begun, done) = tokio::join!(other.begin(), let_go);
        done.expect("committed");
        begun.expect("who waits has it when it is let go");
    }

    #[test]
    fn a_value_that_no_table_has_is_refused() {
        assert!(bound(&Value::Double(Some(0.5))).is_err());
    }
}
