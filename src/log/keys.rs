//! The keys that senders give with messages: which of them may have been used, and when they go into their index.
//!
//! Keys are random, so each would cost a page of the index of its own. A message therefore keeps its key, and those of a
//! conversation go into the index together, some dozens at once. Until then the writer remembers them; what it does not
//! remember, as after a start, it finds by reading the newest messages.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use super::{Batch, needs::MessageKey};
use crate::{
    model::{ConversationId, UserId},
    store::IndexedKeys,
};

/// So many messages at least are waited for, since each conversation's keys are read again after a start; of long
/// conversations a sixteenth, since their keys lie on more pages; and no more than can be indexed in a moment.
const AT_LEAST: i32 = 32;
const AT_MOST: i32 = 1_024;

/// How many messages of a conversation of so many may wait for their keys to be indexed.
fn waiting_max(messages: i32) -> i32 {
    (messages / 16).clamp(AT_LEAST, AT_MOST)
}

/// A fingerprint takes that much less room than a row.
const FINGERPRINTS_PER_ROW: usize = 16;

/// Keys that are not in the index yet, as fingerprints: one that is not here was not used since, one that is may have
/// been.
#[derive(Debug, Clone, Default)]
pub(super) struct NewestKeys {
    fingerprints: HashMap<ConversationId, HashSet<u64>>,
    hashing: RandomState,
}

impl NewestKeys {
    /// Whether the newest keys of a conversation are remembered.
    pub(super) fn are_known(&self, conversation: ConversationId) -> bool {
        self.fingerprints.contains_key(&conversation)
    }

    /// Remembers that a conversation has none so far.
    pub(super) fn begin(&mut self, conversation: ConversationId) {
        self.fingerprints.insert(conversation, HashSet::new());
    }

    /// Remembers a key, if those of its conversation are.
    pub(super) fn add(&mut self, conversation: ConversationId, sender: UserId, key: &str) {
        if let Some(keys) = self.fingerprints.get_mut(&conversation) {
            keys.insert(self.hashing.hash_one((sender, key)));
        }
    }

    /// Whether a message that is not in the index may have been sent with this key.
    pub(super) fn may_have(&self, (conversation, sender, key): &MessageKey) -> bool {
        let fingerprint = self.hashing.hash_one((*sender, key.as_str()));
        let keys = self.fingerprints.get(conversation);
        keys.is_some_and(|keys| keys.contains(&fingerprint))
    }

    /// As how many rows they count.
    pub(super) fn weight(&self) -> usize {
        let rows = |keys: &HashSet<u64>| 1 + keys.len() / FINGERPRINTS_PER_ROW;
        self.fingerprints.values().map(rows).sum()
    }
}

impl Batch {
    /// Chooses the conversations whose keys go into the index with this batch; those that there is no room for wait for
    /// the next one.
    pub(super) fn index_keys(&mut self) {
        let mut room = AT_MOST;
        for id in &self.moved_conversations {
            let Some(Some(conversation)) = self.known.conversations.get_mut(id) else {
                continue;
            };
            let waiting = conversation.last_seq - conversation.keyed_seq;
            if room > 0 && waiting >= waiting_max(conversation.last_seq) {
                room -= waiting;
                self.indexed_keys.push(IndexedKeys {
                    conversation: *id,
                    after: conversation.keyed_seq,
                    up_to: conversation.last_seq,
                });
                conversation.keyed_seq = conversation.last_seq;
                self.known.newest_keys.begin(*id);
            }
        }
    }
}
