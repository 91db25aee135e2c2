//! Rows that are read all the time, in memory: messages, conversations, who is in them, and sessions.
//!
//! Exact, not nearly so. A message never changes. The other rows are put here by the transaction that wrote them, when it
//! has committed and before anybody is answered or told, so whoever was told of a change never reads what was before it.
//! This process is the only one that writes; with another one beside it, what that one writes would have to come here too.
//!
//! For a moment after a commit the database has what is not here yet. So whoever reads both reads here first: what they
//! find in the database is then of the same moment or later. The newest messages are here first, before the commit: nobody
//! asks for one that a conversation's row or a published position has not told of.

use std::{
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use foldhash::fast::RandomState;
use quick_cache::{
    UnitWeighter, Weighter,
    sync::{Cache, DefaultLifecycle},
    unsync,
};

use super::{
    EndedMembership,
    recent::{self, Filing, Recent},
};
use crate::model::{
    Conversation, ConversationId, Membership, Message, MessageId, Session, SessionId, TokenHash,
    UserId,
};

/// Texts of messages, and what is around them, about, as bytes.
const MESSAGES_BYTES_MAX: u64 = 32 * 1024 * 1024;

const CONVERSATIONS_MAX: usize = 10_000;
const MEMBERSHIPS_MAX: usize = 50_000;
const SESSIONS_MAX: usize = 50_000;

/// Conversations share so many counts of their changes.
const COUNTS: usize = 1_024;

#[derive(Clone)]
struct ByBytes;

impl Weighter<MessageId, Arc<Message>> for ByBytes {
    fn weight(&self, _: &MessageId, message: &Arc<Message>) -> u64 {
        recent::bytes(message) as u64
    }
}

/// How often something had changed in the conversations that share a count, or of any session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(u64);

type Rows<K, V> = unsync::Cache<K, V, UnitWeighter, RandomState>;

struct Places {
    conversations: Rows<ConversationId, Conversation>,
    memberships: Rows<(ConversationId, UserId), Membership>,
    counts: Vec<u64>,
}

struct Sessions {
    by_id: Rows<SessionId, Session>,
    /// May name one that has ended.
    by_token: Rows<TokenHash, SessionId>,
    count: u64,
}

impl Sessions {
    fn keep(&mut self, session: Session) {
        self.by_token.insert(session.token_hash, session.id);
        self.by_id.insert(session.id, session);
    }
}

/// What a transaction changed of the rows that are kept.
#[derive(Default)]
pub(super) struct Changed {
    pub(super) conversations: Vec<Conversation>,
    pub(super) memberships: Vec<Membership>,
    pub(super) ended: Vec<(ConversationId, UserId)>,
    pub(super) sessions: Vec<Session>,
    pub(super) ended_sessions: Vec<SessionId>,
}

impl Changed {
    pub(super) fn end(&mut self, ended: &[EndedMembership]) {
        let place = |end: &EndedMembership| (end.membership.conversation, end.membership.user);
        self.ended.extend(ended.iter().map(place));
    }
}

/// The rows.
pub(super) struct Memory {
    messages: Cache<MessageId, Arc<Message>, ByBytes, RandomState>,
    recent: Mutex<Recent>,
    places: Mutex<Places>,
    sessions: Mutex<Sessions>,
    hasher: RandomState,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

fn rows<K: Eq + std::hash::Hash, V>(max: usize) -> Rows<K, V> {
    let lifecycle = unsync::DefaultLifecycle::default();
    let hasher = RandomState::default();
    Rows::with(max, max as u64, UnitWeighter, hasher, lifecycle)
}

impl Memory {
    pub(super) fn new(recent: Recent) -> Self {
        let places = Places {
            conversations: rows(CONVERSATIONS_MAX),
            memberships: rows(MEMBERSHIPS_MAX),
            counts: vec![0; COUNTS],
        };
        let sessions = Sessions {
            by_id: rows(SESSIONS_MAX),
            by_token: rows(SESSIONS_MAX),
            count: 0,
        };
        Self {
            sessions: Mutex::new(sessions),
            messages: Cache::with(
                10_000,
                MESSAGES_BYTES_MAX,
                ByBytes,
                RandomState::default(),
                DefaultLifecycle::default(),
            ),
            recent: Mutex::new(recent),
            places: Mutex::new(places),
            hasher: RandomState::default(),
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest messages.
    pub(super) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, conversation: ConversationId) -> usize {
        // The remainder is less than COUNTS.
        usize::try_from(self.hasher.hash_one(conversation) % COUNTS as u64).unwrap_or(0)
    }

    /// Takes in what was committed.
    pub(super) fn take(&self, changed: Changed, messages: &[Arc<Message>], filing: &Filing) {
        self.recent().forget(filing);
        for message in messages {
            self.keep_message(message);
        }
        let mut sessions = self.sessions();
        sessions.count += (changed.sessions.len() + changed.ended_sessions.len()) as u64;
        changed
            .sessions
            .into_iter()
            .for_each(|session| sessions.keep(session));
        for ended in changed.ended_sessions {
            sessions.by_id.remove(&ended);
        }
        drop(sessions);
        let mut places = self.places();
        for place in changed.ended {
            let count = self.count(place.0);
            places.counts[count] += 1;
            places.memberships.remove(&place);
        }
        for membership in changed.memberships {
            let place = (membership.conversation, membership.user);
            let count = self.count(place.0);
            places.counts[count] += 1;
            places.memberships.insert(place, membership);
        }
        for conversation in changed.conversations {
            let id = conversation.id;
            let count = self.count(id);
            places.counts[count] += 1;
            if conversation.deleted_position.is_some() {
                places.conversations.remove(&id);
            } else {
                places.conversations.insert(id, conversation);
            }
        }
    }

    /// A conversation and somebody's membership of it as they are at this moment; else the moment, for
    /// [`keep_place`](Self::keep_place).
    pub(super) fn place(
        &self,
        conversation: ConversationId,
        user: UserId,
    ) -> Result<(Conversation, Membership), Moment> {
        let places = self.places();
        let found = places.conversations.get(&conversation);
        let membership = places.memberships.get(&(conversation, user));
        let place = found.cloned().zip(membership.cloned());
        place.ok_or(Moment(places.counts[self.count(conversation)]))
    }

    /// Keeps rows that were read after a moment, unless something was changed since: they may be from before it.
    pub(super) fn keep_place(
        &self,
        moment: Moment,
        conversation: &Conversation,
        membership: &Membership,
    ) {
        let mut places = self.places();
        if places.counts[self.count(conversation.id)] == moment.0 {
            let place = (conversation.id, membership.user);
            places
                .conversations
                .insert(conversation.id, conversation.clone());
            places.memberships.insert(place, membership.clone());
        }
    }

    /// The session with this secret as it is at this moment; else the moment, for [`keep_session`](Self::keep_session).
    pub(super) fn session_by_token(&self, token: TokenHash) -> Result<Session, Moment> {
        let sessions = self.sessions();
        let id = sessions.by_token.get(&token);
        let found = id.and_then(|id| sessions.by_id.get(id));
        found.cloned().ok_or(Moment(sessions.count))
    }

    /// The same by its identifier.
    pub(super) fn session(&self, id: SessionId) -> Result<Session, Moment> {
        let sessions = self.sessions();
        let found = sessions.by_id.get(&id);
        found.cloned().ok_or(Moment(sessions.count))
    }

    /// Keeps a row that was read after a moment, unless a session changed since.
    pub(super) fn keep_session(&self, moment: Moment, session: &Session) {
        let mut sessions = self.sessions();
        if sessions.count == moment.0 {
            sessions.keep(session.clone());
        }
    }

    pub(super) fn message(&self, id: MessageId) -> Option<Arc<Message>> {
        let kept = self.messages.get(&id);
        kept.or_else(|| self.recent().get(id).cloned())
    }

    pub(super) fn keep_message(&self, message: &Arc<Message>) {
        self.messages.insert(message.id(), Arc::clone(message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Id, Timestamp};

    fn session() -> Session {
        Session {
            id: SessionId::from_uuid(uuid::Uuid::from_u128(1)),
            user: UserId::from_uuid(uuid::Uuid::from_u128(2)),
            token_hash: TokenHash([3; 32]),
            device_name: None,
            created_at: Timestamp::from_millis(0),
            last_used_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn what_was_read_before_it_ended_is_not_kept_after() {
        let (memory, session) = (Memory::new(Recent::default()), session());
        let Err(moment) = memory.session_by_token(session.token_hash) else {
            panic!("nothing is known yet");
        };
        let ended = Changed {
            ended_sessions: vec![session.id],
            ..Changed::default()
        };
        memory.take(ended, &[], &Filing::default());
        memory.keep_session(moment, &session);
        assert!(memory.session(session.id).is_err());
    }

    #[test]
    fn what_was_kept_is_gone_when_it_ends() {
        let (memory, session) = (Memory::new(Recent::default()), session());
        let begun = Changed {
            sessions: vec![session.clone()],
            ..Changed::default()
        };
        memory.take(begun, &[], &Filing::default());
        assert_eq!(
            memory.session_by_token(session.token_hash).ok(),
            Some(session.clone())
        );
        let ended = Changed {
            ended_sessions: vec![session.id],
            ..Changed::default()
        };
        memory.take(ended, &[], &Filing::default());
        assert!(memory.session_by_token(session.token_hash).is_err());
    }
}
