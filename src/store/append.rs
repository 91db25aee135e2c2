//! What nearly every batch leaves: messages with what finds them, and where their conversations and readers stand now.
//!
//! A statement costs two hops between threads, however little it does. So this is one text for all of it, its transaction
//! included, with places for 1, 4, 16 … rows: few texts, which stay prepared. Places that are left over hold nothing and
//! mean nothing.

use std::{
    iter::repeat_n,
    sync::{Arc, PoisonError},
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, Statement, Value,
    sqlx::error::{DatabaseError, ErrorKind},
};

use super::{Error, Filing, Transaction, error};
use crate::{
    fault::{Faults, Point},
    model::{Conversation, ConversationId, Id, Membership, Message, Position, Shard},
};

/// What is added to a shard, and what that moves.
pub struct Appended<'a> {
    /// Which shard.
    pub shard: Shard,
    /// Where it stands then.
    pub head: Position,
    /// New messages.
    pub messages: &'a [Arc<Message>],
    /// Conversations of which nothing changed but their newest message and change.
    pub conversations: Vec<&'a Conversation>,
    /// Memberships of which nothing changed but how far they have read.
    pub memberships: Vec<&'a Membership>,
    /// Messages of before that go among those of their conversations.
    pub filing: &'a Filing,
    /// Whose keys go into their index then.
    pub keys: &'a [IndexedKeys],
}

/// Messages of a conversation whose keys go into their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexedKeys {
    /// Where they were said.
    pub conversation: ConversationId,
    /// Those after this number,
    pub after: i32,
    /// up to this one.
    pub up_to: i32,
}

const BEGIN: &str = "BEGIN IMMEDIATE;";
const COMMIT: &str = "COMMIT";

impl Transaction {
    /// Stores what was added, and makes all of this transaction last.
    ///
    /// After this returns, neither a crash nor a power cut undoes it.
    pub async fn append(self, appended: &Appended<'_>, faults: &Faults) -> Result<(), Error> {
        if faults.are_watched() {
            // One text would have no place between storing and committing.
            self.tx().await?;
        }
        let Self {
            db,
            begun,
            memory,
            changed,
        } = self;
        // Before they can be seen in the database, where a conversation's row says that they are there.
        memory.recent().add(appended.messages);
        match commit(&db, begun.into_inner(), appended, faults).await {
            Ok(()) => {}
            // They may be there all the same; nothing more is written.
            Err(error @ Error::Storage(_)) => return Err(error),
            Err(error) => {
                memory.recent().take_back(appended.messages);
                return Err(error);
            }
        }
        faults.reach(Point::AfterCommit).await?;
        let mut changed = changed.into_inner().unwrap_or_else(PoisonError::into_inner);
        let conversations = appended.conversations.iter().copied().cloned();
        changed.conversations.extend(conversations);
        let memberships = appended.memberships.iter().copied().cloned();
        changed.memberships.extend(memberships);
        memory.take(changed, appended.messages, appended.filing);
        Ok(())
    }
}

async fn commit(
    db: &DatabaseConnection,
    begun: Option<DatabaseTransaction>,
    appended: &Appended<'_>,
    faults: &Faults,
) -> Result<(), Error> {
    if let Some(tx) = begun {
        tx.execute_raw(appended.statement(appended.text("", "")))
            .await
            .map_err(refused)?;
        faults.reach(Point::BeforeCommit).await?;
        tx.commit().await.map_err(Error::at_commit)
    } else {
        let statement = appended.statement(appended.text(BEGIN, COMMIT));
        match db.execute_raw(statement).await {
            Ok(_) => Ok(()),
            Err(error) => Err(undo(db, error).await),
        }
    }
}

/// Ends the transaction of a text that failed, and says what its failure means. If there was one to end, nothing of it
/// lasts; else it had not begun, was undone by the failure, or failed as it was committed.
async fn undo(db: &DatabaseConnection, error: DbErr) -> Error {
    match db.execute_unprepared("ROLLBACK").await {
        Ok(_) => refused(error),
        Err(missing) if error::primary_code(&missing) == Some(SQLITE_ERROR) => {
            Error::at_commit(error)
        }
        // The connection may be in a transaction for ever: nothing more can be acknowledged.
        Err(broken) => Error::Storage(broken),
    }
}

const SQLITE_ERROR: u32 = 1;

/// A message without a number is one whose key is in the index.
fn refused(error: DbErr) -> Error {
    let (DbErr::Exec(cause) | DbErr::Query(cause)) = &error else {
        return Error::from(error);
    };
    let kind = match cause {
        RuntimeErr::SqlxError(cause) => cause.as_database_error().map(<dyn DatabaseError>::kind),
        RuntimeErr::Internal(_) => None,
    };
    if matches!(kind, Some(ErrorKind::NotNullViolation)) {
        Error::Conflict(error)
    } else {
        Error::from(error)
    }
}

/// So many rows of so many values: `(VALUES (?,?),(?,?))`.
fn places(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    format!("(VALUES {})", vec![row; rows].join(","))
}

/// For how many rows there are places.
fn room(rows: usize) -> usize {
    if rows == 0 {
        0
    } else {
        let power = rows.next_power_of_two();
        power << (power.trailing_zeros() % 2)
    }
}

/// Puts recent messages, given by their positions as JSON, among those of their conversations; marks every 64th, see
/// [`message_mark`](super::message_mark); and removes those that all lie there.
const FILE: &str = "\
    INSERT INTO messages (conversation_id, seq, sender_id, text, sent_at, position, idempotency_key) \
    SELECT conversation_id, seq, sender_id, text, sent_at, position, idempotency_key \
    FROM json_each(?) CROSS JOIN recent_messages ON position = value;\
    INSERT INTO message_marks (conversation_id, position, seq) SELECT conversation_id, position, seq \
    FROM json_each(?) CROSS JOIN recent_messages ON position = value WHERE seq % 64 = 0;\
    DELETE FROM recent_messages WHERE position < ?;";

const CONVERSATION_VALUES: usize = 5;
const MEMBERSHIP_VALUES: usize = 4;
const MESSAGE_VALUES: usize = 7;
const KEYS_VALUES: usize = 3;

impl Appended<'_> {
    fn text(&self, begin: &str, commit: &str) -> String {
        let mut text = begin.to_owned();
        let add = |text: &mut String, rows: usize, columns, statement: fn(&str) -> String| {
            if rows > 0 {
                text.push_str(&statement(&places(room(rows), columns)));
            }
        };
        add(
            &mut text,
            self.conversations.len(),
            CONVERSATION_VALUES,
            |rows| {
                format!(
                    "UPDATE conversations SET last_seq = at.column2, active_at = at.column3, head_position = at.column4, \
                 keyed_seq = at.column5 FROM {rows} AS at WHERE id = at.column1;"
                )
            },
        );
        add(
            &mut text,
            self.memberships.len(),
            MEMBERSHIP_VALUES,
            |rows| {
                format!(
                    "UPDATE memberships SET read_seq = at.column2, read_at = at.column3, read_position = at.column4 \
                 FROM {rows} AS at WHERE id = at.column1;"
                )
            },
        );
        if !self.filing.positions.is_empty() {
            text.push_str(FILE);
        }
        add(&mut text, self.keys.len(), KEYS_VALUES, |rows| {
            format!(
                "INSERT INTO message_keys (conversation_id, sender_id, idempotency_key, seq) \
                 SELECT conversation_id, sender_id, idempotency_key, seq FROM {rows} CROSS JOIN messages \
                 ON conversation_id = column1 AND seq > column2 AND seq <= column3 WHERE idempotency_key IS NOT NULL;"
            )
        });
        // A key is taken to be new. If the index has it the message gets no number, which its table refuses.
        add(&mut text, self.messages.len(), MESSAGE_VALUES, |rows| {
            format!(
                "INSERT INTO recent_messages (conversation_id, sender_id, text, sent_at, position, idempotency_key, seq) \
                 SELECT column1, column2, column3, column4, column5, column6, CASE WHEN EXISTS (SELECT 1 \
                 FROM message_keys WHERE conversation_id = column1 AND sender_id = column2 \
                 AND idempotency_key = column6) THEN NULL ELSE column7 END FROM {rows} WHERE column1 IS NOT NULL;"
            )
        });
        text.push_str("UPDATE shards SET head = ? WHERE number = ?;");
        text.push_str(commit);
        text
    }

    fn statement(&self, text: String) -> Statement {
        let mut values: Vec<Value> = Vec::new();
        let fill = |values: &mut Vec<Value>, rows: usize, columns: usize| {
            let left = (room(rows) - rows) * columns;
            values.extend(repeat_n(Value::Uuid(None), left));
        };
        for at in &self.conversations {
            values.extend::<[Value; CONVERSATION_VALUES]>([
                at.id.uuid().into(),
                at.last_seq.into(),
                at.active_at.millis().into(),
                at.head_position.into(),
                at.keyed_seq.into(),
            ]);
        }
        fill(&mut values, self.conversations.len(), CONVERSATION_VALUES);
        for at in &self.memberships {
            values.extend::<[Value; MEMBERSHIP_VALUES]>([
                at.id.uuid().into(),
                at.read_seq.into(),
                at.read_at.millis().into(),
                at.read_position.into(),
            ]);
        }
        fill(&mut values, self.memberships.len(), MEMBERSHIP_VALUES);
        if !self.filing.positions.is_empty() {
            let positions = Value::from(format!("{:?}", self.filing.positions));
            values.extend([positions.clone(), positions, self.filing.before.into()]);
        }
        for keys in self.keys {
            values.extend::<[Value; KEYS_VALUES]>([
                keys.conversation.uuid().into(),
                keys.after.into(),
                keys.up_to.into(),
            ]);
        }
        fill(&mut values, self.keys.len(), KEYS_VALUES);
        for message in self.messages {
            values.extend(row(message));
        }
        fill(&mut values, self.messages.len(), MESSAGE_VALUES);
        values.extend([self.head.into(), i32::from(self.shard).into()]);
        Statement::from_sql_and_values(sea_orm::DbBackend::Sqlite, text, values)
    }
}

fn row(message: &Message) -> [Value; MESSAGE_VALUES] {
    [
        message.conversation.uuid().into(),
        message.sender.uuid().into(),
        message.text.as_str().into(),
        message.sent_at.millis().into(),
        message.position.into(),
        message.idempotency_key.as_deref().into(),
        message.seq.into(),
    ]
}
