//! Something said. It never changes.

use super::{ConversationId, MessageId, PageRequest, Position, Timestamp, UserId, page::Key};

/// A message, as it is stored for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it was said.
    pub conversation: ConversationId,
    /// Its number there: 1, 2, 3 … without a gap.
    pub seq: i32,
    /// Who said it.
    pub sender: UserId,
    /// What was said.
    pub text: String,
    /// When; never goes back along `seq`.
    pub sent_at: Timestamp,
    /// Its place in the log.
    pub position: Position,
    /// The key that its sender gave with it.
    pub idempotency_key: Option<String>,
}

impl Message {
    /// Its identifier.
    pub fn id(&self) -> MessageId {
        MessageId {
            conversation: self.conversation,
            seq: self.seq,
        }
    }
}

/// Place of a message in its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageKey(pub i32);

impl Key for MessageKey {
    const LIST: u8 = b'm';
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(i32::from_be_bytes(bytes.try_into().ok()?)))
    }
}

/// A page of the messages of a conversation, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessagesWanted {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Which of them.
    pub page: PageRequest<MessageKey>,
    /// Whether messages lie beyond the end of what is asked for: a page from the back cannot know.
    pub is_cut: bool,
}
