//! ROWS: nouns in and out of the database. The only room that knows SeaORM and SQLite; one file per noun.
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
mod write;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DbBackend, ExprTrait, QueryTrait,
    Statement, prelude::Uuid, sea_query::SimpleExpr,
};

pub use account::Remains;
pub use append::{Appended, IndexedKeys};
pub use error::{Cause, Error};
pub use followed::Followed;
pub use membership::EndedMembership;
pub use news::{Moved, Run};
pub use open::{OpenError, Opened, open};
pub use recent::Filing;

use memory::{Changed, Memory};
use write::WriteConnection;

use crate::{
    fault::{Faults, Point},
    model::{Epoch, Timestamp},
};

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
    /// What is written hangs on what is read here. Nobody else writes, so it is the same until the next commit.
    db: DatabaseConnection,
    connection: WriteConnection,
    memory: Arc<Memory>,
    /// Kept for its lock: while it lives no other process serves this database.
    _lock: std::fs::File,
}

impl Writer {
    /// A transaction of which nothing is stored yet.
    pub fn begin(&self) -> Transaction {
        Transaction {
            db: self.db.clone(),
            memory: Arc::clone(&self.memory),
            statements: Vec::new(),
            changed: Changed::default(),
        }
    }

    /// Stores what a transaction writes, and what it appends, and makes it last.
    ///
    /// After this returns, neither a crash nor a power cut undoes it. If it fails nothing of it lasts; but nobody knows after
    /// [`Error::Storage`].
    pub async fn commit(
        &mut self,
        transaction: Transaction,
        appended: &Appended<'_>,
        faults: &Faults,
    ) -> Result<(), Error> {
        let Transaction {
            statements,
            mut changed,
            ..
        } = transaction;
        // Before they can be seen in the database, where a conversation's row says that they are there.
        self.memory.recent().add(appended.messages);
        match self.store(&statements, appended, faults).await {
            Ok(()) => {}
            // They may be there all the same; nothing more is written.
            Err(error @ Error::Storage(_)) => return Err(error),
            Err(error) => {
                self.memory.recent().take_back(appended.messages);
                return Err(error);
            }
        }
        faults.reach(Point::AfterCommit).await?;
        let conversations = appended.conversations.iter().copied().cloned();
        changed.conversations.extend(conversations);
        let memberships = appended.memberships.iter().copied().cloned();
        changed.memberships.extend(memberships);
        self.memory
            .take(changed, appended.messages, appended.filing);
        Ok(())
    }

    async fn store(
        &mut self,
        statements: &[Statement],
        appended: &Appended<'_>,
        faults: &Faults,
    ) -> Result<(), Error> {
        self.connection.begin().await?;
        let mut stored = self
            .connection
            .run_all(statements)
            .and_then(|()| appended.store(&self.connection));
        if stored.is_ok() {
            stored = faults.reach(Point::BeforeCommit).await;
        }
        let done = stored.and_then(|()| self.connection.commit());
        if done.is_err() {
            self.connection.roll_back()?;
        }
        done
    }

    /// Gives the connections back; SQLite folds its log into the database.
    pub async fn close(self) {
        self.connection.close();
        if let Err(error) = self.db.close_by_ref().await {
            tracing::warn!(%error, "closing the writer failed");
        }
    }
}

/// What is to be stored together, or not at all: it is gathered here, and stored when it is [committed](Writer::commit).
pub struct Transaction {
    db: DatabaseConnection,
    memory: Arc<Memory>,
    statements: Vec<Statement>,
    /// What it writes that is kept in memory once it lasts.
    changed: Changed,
}

impl Transaction {
    fn add(&mut self, statement: &impl QueryTrait) {
        self.statements.push(statement.build(DbBackend::Sqlite));
    }

    /// Which messages it is time to file, so that no more than so many bytes of them wait for it.
    pub fn filing(&self, bytes_max: usize) -> Filing {
        self.memory.recent().filing(bytes_max)
    }
}
