//! The keys that senders give with messages: which of them may have been used, and when they go into their index.
//!
//! Keys are random, so each would cost a page of the index of its own. A message therefore keeps its key, and those of a
//! conversation go into the index together. Until then the writer remembers them; what it does not remember, as after a
//! start, it finds by reading the newest messages.

use std::hash::{BuildHasher, RandomState};

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::{Batch, known::Known, needs::MessageKey};
use crate::{
    fault::Fault,
    model::{ConversationId, Limits, UserId},
    store::{Error, Filing, IndexedKeys, Transaction},
};

/// No more filed messages of a conversation than about this wait for their keys to be indexed: one that is sent again is
/// looked for among them, at some 0.3 µs each.
const WAITING_MAX: i32 = 2_048;

/// How many messages of a conversation of so many may wait for their keys to be indexed: some, since they are read again
/// after a start; of a long conversation a quarter of all, since its keys lie on more pages.
fn waiting_max(messages: i32, limits: &Limits) -> i32 {
    (messages / 4).min(WAITING_MAX).max(limits.keys_waiting_min)
}

/// Fingerprints that are remembered at most; they take some 4 MiB.
const FINGERPRINTS_MAX: usize = 250_000;

/// Keys that are not in the index yet, as fingerprints: one that is not here was not used since, one that is may have
/// been. It may remember a key whose message was not stored in the end, but forgets none before it is in the index. So it
/// holds whatever becomes of a transaction.
#[derive(Debug, Clone, Default)]
pub(super) struct NewestKeys {
    fingerprints: HashMap<ConversationId, HashSet<u64>>,
    count: usize,
    hashing: RandomState,
}

impl NewestKeys {
    fn are_known(&self, conversation: ConversationId) -> bool {
        self.fingerprints.contains_key(&conversation)
    }

    /// Remembers that a conversation has none.
    fn begin(&mut self, conversation: ConversationId) {
        let before = self.fingerprints.insert(conversation, HashSet::new());
        self.count -= before.map_or(0, |before| before.len());
    }

    /// Remembers a key, if those of its conversation are remembered.
    pub(super) fn add(&mut self, conversation: ConversationId, sender: UserId, key: &str) {
        if let Some(keys) = self.fingerprints.get_mut(&conversation)
            && keys.insert(self.hashing.hash_one((sender, key)))
        {
            self.count += 1;
        }
    }

    /// Whether a message that is not in the index may have been sent with this key.
    pub(super) fn may_have(&self, (conversation, sender, key): &MessageKey) -> bool {
        let fingerprint = self.hashing.hash_one((*sender, key.as_str()));
        let keys = self.fingerprints.get(conversation);
        keys.is_some_and(|keys| keys.contains(&fingerprint))
    }

    /// What may be carried to the next batch.
    pub(super) fn kept(self) -> Self {
        if self.count + self.fingerprints.len() > FINGERPRINTS_MAX {
            Self::default()
        } else {
            self
        }
    }
}

impl Known {
    /// Reads the keys that are not in the index, of conversations in which a key is to be used.
    pub(super) async fn load_newest_keys<'a>(
        &mut self,
        keys: impl IntoIterator<Item = &'a MessageKey>,
        tx: &Transaction,
    ) -> Result<(), Error> {
        let mut unknown: HashMap<_, _> = HashMap::new();
        for (id, _, _) in keys {
            if let Some(Some(conversation)) = self.conversations.get(id)
                && !self.newest_keys.are_known(*id)
            {
                unknown.insert(*id, (conversation.keyed_seq, conversation.last_seq));
            }
        }
        let waiting = unknown.iter().filter(|(_, (keyed, last))| keyed < last);
        let waiting: Vec<_> = waiting.map(|(id, (keyed, _))| (*id, *keyed)).collect();
        let found = tx.find_keys_after(&waiting).await?;
        // Only now: what is half read must not count as remembered.
        for id in unknown.into_keys() {
            self.newest_keys.begin(id);
        }
        for (conversation, sender, key) in found {
            self.newest_keys.add(conversation, sender, &key);
        }
        Ok(())
    }
}

impl Batch {
    /// Chooses what is filed with this batch, and the keys that go into the index then: of conversations in which enough
    /// messages are filed by then whose keys wait.
    pub(super) fn file(&mut self, filing: Filing, limits: &Limits) {
        for (id, up_to) in &filing.runs {
            let Some(Some(conversation)) = self.known.conversations.get_mut(id) else {
                continue;
            };
            let waiting = up_to - conversation.keyed_seq;
            if waiting >= waiting_max(conversation.last_seq, limits) {
                self.indexed_keys.push(IndexedKeys {
                    conversation: *id,
                    after: conversation.keyed_seq,
                    up_to: *up_to,
                });
                conversation.keyed_seq = *up_to;
                self.moved_conversations.insert(*id);
            }
        }
        self.filing = filing;
    }

    /// Conversations whose keys this batch puts into the index.
    pub(super) fn indexed_conversations(&self) -> Vec<ConversationId> {
        self.indexed_keys
            .iter()
            .map(|keys| keys.conversation)
            .collect()
    }

    /// Forgets the keys that this batch has put into the index; `left` are those that it has not, of the same conversations.
    pub(super) fn forget_indexed_keys(&mut self, left: &[MessageKey]) {
        for keys in &self.indexed_keys {
            self.known.newest_keys.begin(keys.conversation);
        }
        if self.faults.has(Fault::KeysForgottenBeforeTheyAreIndexed) {
            return;
        }
        for (conversation, sender, key) in left {
            self.known.newest_keys.add(*conversation, *sender, key);
        }
    }
}
