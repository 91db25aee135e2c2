//! ROWS: nouns in and out of the database. The only room that knows SeaORM; one file per noun.
//!
//! Reading and writing are two doors. [`Store`] reads, from a pool that cannot write. [`Writer`] writes; opening a store
//! gives exactly one, and the log holds it, so that nothing can be written past the log.

mod account;
mod append;
mod ban;
mod block;
mod change;
mod channel;
mod conversation;
mod error;
mod followed;
mod friend;
mod friend_request;
mod many;
mod membership;
mod memory;
mod message;
mod message_key;
mod message_mark;
mod news;
mod open;
mod place;
mod recent;
mod session;
mod shard;
mod user;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DatabaseTransaction, ExprTrait,
    SqliteTransactionMode, TransactionOptions, TransactionTrait, prelude::Uuid,
    sea_query::SimpleExpr,
};

pub use account::Remains;
pub use append::{Appended, IndexedKeys};
pub use error::Error;
pub use followed::Followed;
pub use membership::EndedMembership;
pub use news::{Moved, Run};
pub use open::{OpenError, Opened, open};
pub use recent::Filing;

use memory::{Changed, Memory};
use tokio::sync::OnceCell;

use crate::model::{Epoch, Timestamp};

/// Rows in one statement at most: a parameter for each column must stay under SQLite's 32,766.
const ROWS_PER_STATEMENT: usize = 1_000;

/// Rows behind a place in a list with the newest first and equal instants by identifier.
fn behind<C: ColumnTrait>(at: C, id: C, place: (Timestamp, Uuid)) -> Condition {
    let (instant, row) = place;
    let same = at.eq(instant.millis()).and(id.lt(row));
    // Said twice: with bound values an index does not see the range in the second part.
    Condition::all()
        .add(at.lte(instant.millis()))
        .add(Condition::any().add(at.lt(instant.millis())).add(same))
}

/// Terms of one statement at most: SQLite's expressions may nest 1,000 deep.
const TERMS_PER_STATEMENT: usize = 400;

/// Rows that one of these items means. A condition that an index hangs on belongs into each term.
fn any_of<T>(items: &[T], term: impl Fn(&T) -> SimpleExpr) -> Condition {
    items
        .iter()
        .fold(Condition::any(), |any, item| any.add(term(item)))
}

/// Texts that begin with `prefix`, as a range that an index can serve on every database.
fn begins_with(column: impl ColumnTrait, prefix: &str) -> Condition {
    Condition::all()
        .add(column.gte(prefix))
        .add(column.lt(format!("{prefix}{}", char::MAX)))
}

/// Reads. Each call sees everything that was acknowledged before it began.
#[derive(Debug, Clone)]
pub struct Store {
    db: DatabaseConnection,
    shards: u16,
    epoch: Epoch,
    statements: Arc<AtomicU64>,
    memory: Arc<Memory>,
}

impl Store {
    /// In how many shards the log of this database is cut.
    pub fn shards(&self) -> u16 {
        self.shards
    }

    /// Which life of its history this is.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How many statements were run to read, since it was opened.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        // `ping` of the pool only looks at its connection; a read says more.
        self.db.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// Gives the connections back.
    pub async fn close(&self) {
        if let Err(error) = self.db.close_by_ref().await {
            tracing::warn!(%error, "closing the readers failed");
        }
    }
}

/// Writes, one transaction after another.
#[derive(Debug)]
pub struct Writer {
    db: DatabaseConnection,
    memory: Arc<Memory>,
    /// Kept for its lock: while it lives no other process serves this database.
    _lock: std::fs::File,
}

impl Writer {
    /// A transaction that begins with its first statement.
    pub fn begin(&self) -> Transaction {
        Transaction {
            db: self.db.clone(),
            begun: OnceCell::new(),
            memory: Arc::clone(&self.memory),
            changed: Mutex::default(),
        }
    }

    /// Gives the connection back; SQLite folds its log into the database.
    pub async fn close(self) {
        if let Err(error) = self.db.close_by_ref().await {
            tracing::warn!(%error, "closing the writer failed");
        }
    }
}

/// A transaction of the writer: all of it is stored, or nothing. Dropped, it is rolled back.
pub struct Transaction {
    db: DatabaseConnection,
    begun: OnceCell<DatabaseTransaction>,
    memory: Arc<Memory>,
    /// What it writes that is kept in memory once it lasts.
    changed: Mutex<Changed>,
}

impl Transaction {
    /// Begins it, if it has not begun. It holds the write lock from its start: one that began by reading could not be
    /// upgraded once another had written (`SQLITE_BUSY_SNAPSHOT`).
    async fn tx(&self) -> Result<&DatabaseTransaction, Error> {
        let begin = async || {
            let options = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            self.db.begin_with_options(options).await
        };
        Ok(self.begun.get_or_try_init(begin).await?)
    }

    /// Which messages it is time to file, so that no more than so many bytes of them wait for it.
    pub fn filing(&self, bytes_max: usize) -> Filing {
        self.memory.recent().filing(bytes_max)
    }

    fn changed(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets it.
    pub async fn roll_back(self) -> Result<(), Error> {
        match self.begun.into_inner() {
            Some(tx) => Ok(tx.rollback().await?),
            None => Ok(()),
        }
    }
}
