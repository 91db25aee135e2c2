//! A batch in the making: rows kept current in memory while write after write decides over them, then stored at once.
//!
//! Because a decision reads what the decisions before it left, [send by Bob, remove Bob, send by Bob] refuses the last
//! one although no statement has run yet.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    known::Known,
    needs::{MessageKey, Needs},
};
use crate::{
    model::{
        Change, Conversation, ConversationId, Membership, Message, News, Position, RemovalReason,
        Session, SessionId, Shard, Timestamp, User, UserId,
    },
    store::{EndedMembership, Error, Transaction},
};

/// Rows as they are after every write so far, and what has to be stored.
#[derive(Debug)]
pub struct Batch {
    shard: Shard,
    at: Timestamp,
    known: Known,
    /// Messages by the keys that their senders gave: those looked up, and those of this batch.
    keys: HashMap<MessageKey, Arc<Message>>,
    changed_users: HashSet<UserId>,
    changed_sessions: HashSet<(UserId, SessionId)>,
    ended_sessions: Vec<SessionId>,
    changed_conversations: HashSet<ConversationId>,
    changed_memberships: HashSet<(ConversationId, UserId)>,
    ended_memberships: Vec<EndedMembership>,
    messages: Vec<Arc<Message>>,
    changes: Vec<Change>,
    effects: usize,
    hangs_on_keys: bool,
}

impl Batch {
    pub(super) fn new(shard: Shard, at: Timestamp, known: Known) -> Self {
        Self {
            shard,
            at,
            known,
            keys: HashMap::new(),
            changed_users: HashSet::new(),
            changed_sessions: HashSet::new(),
            ended_sessions: Vec::new(),
            changed_conversations: HashSet::new(),
            changed_memberships: HashSet::new(),
            ended_memberships: Vec::new(),
            messages: Vec::new(),
            changes: Vec::new(),
            effects: 0,
            hangs_on_keys: false,
        }
    }

    pub(super) async fn load(&mut self, needs: &Needs, tx: &Transaction) -> Result<(), Error> {
        self.known.load(needs, tx).await
    }

    /// Looks up the keys too. Nearly all are new, so the first try of a batch leaves this out and lets the unique
    /// index say otherwise.
    pub(super) async fn load_keys(&mut self, needs: &Needs, tx: &Transaction) -> Result<(), Error> {
        let keys: Vec<_> = needs.message_keys.iter().cloned().collect();
        for message in tx.find_messages_by_key(&keys).await? {
            if let Some(key) = message.idempotency_key.clone() {
                self.keys.insert(
                    (message.conversation, message.sender, key),
                    Arc::new(message),
                );
            }
        }
        Ok(())
    }

    /// Whether a write was refused that would stand if its key turned out to be known.
    pub(super) fn hangs_on_keys(&self) -> bool {
        self.hangs_on_keys
    }

    /// How many things were changed so far.
    pub(super) fn effects(&self) -> usize {
        self.effects
    }

    /// Writes everything that was decided; nothing lasts before the transaction commits.
    pub(super) async fn store(&self, tx: &Transaction) -> Result<(), Error> {
        let users: Vec<_> = self
            .changed_users
            .iter()
            .filter_map(|id| self.user(*id))
            .collect();
        tx.put_users(&users).await?;
        let sessions: Vec<_> = self
            .changed_sessions
            .iter()
            .filter_map(|(user, id)| self.session(*user, *id))
            .collect();
        tx.put_sessions(&sessions).await?;
        tx.delete_sessions(&self.ended_sessions).await?;
        let conversations: Vec<_> = self
            .changed_conversations
            .iter()
            .filter_map(|id| self.known.conversations.get(id)?.as_ref())
            .collect();
        tx.put_conversations(&conversations).await?;
        // Somebody may leave and come back in one batch: ended rows go first, so that the one place that a person has
        // in a conversation is free again.
        tx.put_ended_memberships(&self.ended_memberships).await?;
        let memberships: Vec<_> = self
            .changed_memberships
            .iter()
            .filter_map(|(conversation, user)| self.membership(*conversation, *user))
            .collect();
        tx.put_memberships(&memberships).await?;
        tx.insert_messages(&self.messages).await?;
        tx.insert_changes(&self.changes).await?;
        if !self.changes.is_empty() {
            tx.update_head(self.shard, self.known.head).await?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> (Known, Vec<Change>) {
        (self.known, self.changes)
    }
}

/// What writes read.
impl Batch {
    /// The time at which this batch began.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// A person.
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.known.users.get(&id)?.as_ref()
    }

    /// Whether somebody has this handle.
    pub fn is_taken(&self, handle: &str) -> bool {
        self.known.handles.get(handle).is_some_and(Option::is_some)
    }

    /// All sessions of a person.
    pub fn sessions_of(&self, user: UserId) -> &[Session] {
        self.known.sessions.get(&user).map_or(&[], Vec::as_slice)
    }

    fn session(&self, user: UserId, id: SessionId) -> Option<&Session> {
        self.sessions_of(user)
            .iter()
            .find(|session| session.id == id)
    }

    /// A conversation that is not deleted.
    pub fn conversation(&self, id: ConversationId) -> Option<&Conversation> {
        self.known
            .conversations
            .get(&id)?
            .as_ref()
            .filter(|conversation| conversation.deleted_position.is_none())
    }

    /// The conversation that a person made with this key.
    pub fn created(&self, creator: UserId, key: &str) -> Option<ConversationId> {
        *self.known.creations.get(&(creator, key.to_owned()))?
    }

    /// A person's place in a conversation.
    pub fn membership(&self, conversation: ConversationId, user: UserId) -> Option<&Membership> {
        self.known.memberships.get(&(conversation, user))?.as_ref()
    }

    /// The message that a person sent with this key, as far as is known: see [`refusal_hangs_on_key`](Self::refusal_hangs_on_key).
    pub fn message_by_key(
        &self,
        conversation: ConversationId,
        sender: UserId,
        key: &str,
    ) -> Option<&Arc<Message>> {
        self.keys.get(&(conversation, sender, key.to_owned()))
    }
}

impl Batch {
    /// Says that a refusal would be another answer if the write's key were known. Keys are taken to be new at first,
    /// so the batch is then decided again with all its keys looked up.
    pub fn refusal_hangs_on_key(&mut self) {
        self.hangs_on_keys = true;
    }
}

/// What writes change. Each step that somebody may hear of takes the next position.
impl Batch {
    fn publish(&mut self, news: News) -> Position {
        self.effects += 1;
        self.known.head += 1;
        let position = self.known.head;
        if let Some(id) = news.conversation()
            && let Some(Some(conversation)) = self.known.conversations.get_mut(&id)
        {
            conversation.head_position = position;
            self.changed_conversations.insert(id);
        }
        self.changes.push(Change {
            shard: self.shard,
            position,
            at: self.at,
            news,
        });
        position
    }

    /// Adds a person.
    pub fn add_user(&mut self, user: User) {
        self.effects += 1;
        self.known
            .handles
            .insert(user.handle.clone(), Some(user.id));
        self.known.sessions.entry(user.id).or_default();
        self.changed_users.insert(user.id);
        self.known.users.insert(user.id, Some(user));
    }

    /// Changes a person's profile.
    pub fn update_profile(&mut self, user: User) {
        self.publish(News::ProfileUpdated { user: user.id });
        self.changed_users.insert(user.id);
        self.known.users.insert(user.id, Some(user));
    }

    /// Changes a person's password.
    pub fn change_password(&mut self, user: UserId, password_hash: String) {
        if let Some(Some(known)) = self.known.users.get_mut(&user) {
            self.effects += 1;
            known.password_hash = password_hash;
            self.changed_users.insert(user);
        }
    }

    /// Adds a session, or writes its last use down.
    pub fn put_session(&mut self, session: Session) {
        self.effects += 1;
        self.changed_sessions.insert((session.user, session.id));
        let sessions = self.known.sessions.entry(session.user).or_default();
        sessions.retain(|other| other.id != session.id);
        sessions.push(session);
    }

    /// Ends a session.
    pub fn end_session(&mut self, user: UserId, session: SessionId) {
        self.publish(News::SessionEnded { user, session });
        self.known
            .sessions
            .entry(user)
            .or_default()
            .retain(|other| other.id != session);
        self.ended_sessions.push(session);
    }

    /// Adds a conversation, without members.
    pub fn add_conversation(&mut self, conversation: Conversation) {
        self.effects += 1;
        if let (creator, Some(key)) = &conversation.creation {
            self.known
                .creations
                .insert((*creator, key.clone()), Some(conversation.id));
        }
        self.changed_conversations.insert(conversation.id);
        self.known
            .conversations
            .insert(conversation.id, Some(conversation));
    }

    /// Changes a conversation's title, topic or policies.
    pub fn update_conversation(&mut self, conversation: Conversation) {
        let id = conversation.id;
        self.known.conversations.insert(id, Some(conversation));
        self.publish(News::ConversationUpdated { conversation: id });
    }

    /// Lets somebody in; whatever was said before counts as read.
    pub fn join(&mut self, mut membership: Membership) -> Membership {
        let (conversation, user) = (membership.conversation, membership.user);
        let position = self.publish(News::MemberJoined {
            conversation,
            user,
            membership: membership.id,
        });
        membership.joined_at = self.at;
        membership.joined_position = position;
        membership.read_position = position;
        if let Some(Some(conversation)) = self.known.conversations.get_mut(&conversation) {
            conversation.member_count += 1;
            membership.read_seq = conversation.last_seq;
        }
        self.changed_memberships.insert((conversation, user));
        self.known
            .memberships
            .insert((conversation, user), Some(membership.clone()));
        membership
    }

    /// Ends somebody's place. With the last one the conversation is deleted.
    pub fn leave(&mut self, conversation: ConversationId, user: UserId, reason: RemovalReason) {
        let Some(membership) = self
            .known
            .memberships
            .insert((conversation, user), None)
            .flatten()
        else {
            return;
        };
        let news = News::MemberLeft {
            conversation,
            user,
            membership: membership.id,
            reason,
        };
        let position = self.publish(news);
        self.changed_memberships.remove(&(conversation, user));
        self.ended_memberships.push(EndedMembership {
            membership,
            position,
            reason,
        });
        let Some(Some(known)) = self.known.conversations.get_mut(&conversation) else {
            return;
        };
        known.member_count -= 1;
        if known.member_count == 0 {
            let position = self.publish(News::ConversationDeleted { conversation });
            if let Some(Some(known)) = self.known.conversations.get_mut(&conversation) {
                known.deleted_position = Some(position);
            }
        }
    }

    /// Adds a message at the end of its conversation: the next number, a time that never goes back, the sender's mark
    /// moved to it. `None` when there is no such conversation.
    pub fn send(
        &mut self,
        conversation: ConversationId,
        sender: UserId,
        text: &str,
        idempotency_key: Option<&str>,
    ) -> Option<Arc<Message>> {
        let known = self.known.conversations.get_mut(&conversation)?.as_mut()?;
        known.last_seq += 1;
        known.active_at = known.active_at.max(self.at);
        let message = Arc::new(Message {
            conversation,
            seq: known.last_seq,
            sender,
            text: text.to_owned(),
            sent_at: known.active_at,
            position: self.known.head + 1,
            idempotency_key: idempotency_key.map(str::to_owned),
        });
        if let Some(Some(membership)) = self.known.memberships.get_mut(&(conversation, sender)) {
            membership.read_seq = message.seq;
            membership.read_position = message.position;
            self.changed_memberships.insert((conversation, sender));
        }
        if let Some(key) = idempotency_key {
            self.keys
                .insert((conversation, sender, key.to_owned()), Arc::clone(&message));
        }
        self.messages.push(Arc::clone(&message));
        self.publish(News::MessageSent(Arc::clone(&message)));
        Some(message)
    }

    /// Moves somebody's read mark; when it is there already nothing happens and nobody hears of it.
    pub fn move_read_mark(&mut self, conversation: ConversationId, user: UserId, read_seq: i32) {
        let moves = self
            .membership(conversation, user)
            .is_some_and(|membership| membership.read_seq != read_seq);
        if moves {
            let position = self.publish(News::ReadMarkMoved { conversation, user });
            if let Some(Some(membership)) = self.known.memberships.get_mut(&(conversation, user)) {
                membership.read_seq = read_seq;
                membership.read_position = position;
                self.changed_memberships.insert((conversation, user));
            }
        }
    }
}
