//! What nearly every batch leaves: messages with what finds them, and where their conversations and readers stand now.

use std::sync::Arc;

use rusqlite::params;

use super::{Error, Filing, write::WriteConnection};
use crate::model::{Conversation, ConversationId, Id, Membership, Message, Position, Shard};

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

const MOVE_CONVERSATION: &str = "UPDATE conversations \
    SET last_seq = ?2, active_at = ?3, head_position = ?4, keyed_seq = ?5 WHERE id = ?1";

const MOVE_READ_MARK: &str = "UPDATE memberships \
    SET read_seq = ?2, read_at = ?3, read_position = ?4 WHERE id = ?1";

/// Puts recent messages, given by their positions as JSON, among those of their conversations.
const FILE: &str = "INSERT INTO messages \
    (conversation_id, seq, sender_id, text, sent_at, position, idempotency_key) \
    SELECT conversation_id, seq, sender_id, text, sent_at, position, idempotency_key \
    FROM json_each(?1) CROSS JOIN recent_messages ON position = value";

/// Marks every 64th of them, see [`message_mark`](super::message_mark).
const MARK: &str = "INSERT INTO message_marks (conversation_id, position, seq) \
    SELECT conversation_id, position, seq \
    FROM json_each(?1) CROSS JOIN recent_messages ON position = value WHERE seq % 64 = 0";

/// Removes those that all lie there.
const FORGET_FILED: &str = "DELETE FROM recent_messages WHERE position < ?1";

const INDEX_KEYS: &str = "INSERT INTO message_keys \
    (conversation_id, sender_id, idempotency_key, seq) \
    SELECT conversation_id, sender_id, idempotency_key, seq FROM messages \
    WHERE conversation_id = ?1 AND seq > ?2 AND seq <= ?3 AND idempotency_key IS NOT NULL";

/// A key is taken to be new. If the index has it the message gets no number, which its table refuses.
const APPEND: &str = "INSERT INTO recent_messages \
    (conversation_id, sender_id, text, sent_at, position, idempotency_key, seq) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, CASE WHEN EXISTS (SELECT 1 FROM message_keys \
    WHERE conversation_id = ?1 AND sender_id = ?2 AND idempotency_key = ?6) THEN NULL ELSE ?7 END)";

const MOVE_HEAD: &str = "UPDATE shards SET head = ?2 WHERE number = ?1";

impl Appended<'_> {
    /// Stores it, in the transaction that has begun.
    pub(super) fn store(&self, connection: &WriteConnection) -> Result<(), Error> {
        self.store_moves(connection)?;
        self.store_filing(connection)?;
        let mut append = connection.prepare(APPEND)?;
        for message in self.messages {
            append.execute(params![
                message.conversation.uuid().as_bytes(),
                message.sender.uuid().as_bytes(),
                message.text.as_str(),
                message.sent_at.millis(),
                message.position,
                message.idempotency_key.as_deref(),
                message.seq,
            ])?;
        }
        let shard = i32::from(self.shard);
        connection
            .prepare(MOVE_HEAD)?
            .execute(params![shard, self.head])?;
        Ok(())
    }

    fn store_moves(&self, connection: &WriteConnection) -> Result<(), Error> {
        let mut move_conversation = connection.prepare(MOVE_CONVERSATION)?;
        for at in &self.conversations {
            move_conversation.execute(params![
                at.id.uuid().as_bytes(),
                at.last_seq,
                at.active_at.millis(),
                at.head_position,
                at.keyed_seq,
            ])?;
        }
        let mut move_read_mark = connection.prepare(MOVE_READ_MARK)?;
        for at in &self.memberships {
            move_read_mark.execute(params![
                at.id.uuid().as_bytes(),
                at.read_seq,
                at.read_at.millis(),
                at.read_position,
            ])?;
        }
        Ok(())
    }

    fn store_filing(&self, connection: &WriteConnection) -> Result<(), Error> {
        if !self.filing.positions.is_empty() {
            let positions = format!("{:?}", self.filing.positions);
            connection.prepare(FILE)?.execute([&positions])?;
            connection.prepare(MARK)?.execute([&positions])?;
            connection
                .prepare(FORGET_FILED)?
                .execute([self.filing.before])?;
        }
        for keys in self.keys {
            let conversation = keys.conversation.uuid();
            let place = params![conversation.as_bytes(), keys.after, keys.up_to];
            connection.prepare(INDEX_KEYS)?.execute(place)?;
        }
        Ok(())
    }
}
