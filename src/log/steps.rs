//! What writes change in a batch. Each step that somebody may hear of takes the next position.

use std::sync::Arc;

use super::Batch;
use crate::{
    fault::Fault,
    model::{
        Ban, Change, Conversation, ConversationId, ConversationKind, Membership, Message, News,
        Position, Reach, RemovalReason, Role, Session, SessionId, User, UserId,
        change::MARKS_TOLD_MAX,
    },
    store::EndedMembership,
};

/// In a conversation of more members only owner and admins are told who comes, goes and is what: that would be a flood.
const MEMBERS_TOLD_MAX: i32 = 1_000;

impl Batch {
    pub(super) fn publish(&mut self, news: News) -> Position {
        self.effects += 1;
        self.known.head += 1;
        let position = self.known.head;
        if let Some(id) = news.conversation()
            && let Some(Some(conversation)) = self.known.conversations.get_mut(&id)
        {
            conversation.head_position = position;
            self.moved_conversations.insert(id);
        }
        self.changes.push(Change {
            shard: self.shard,
            position,
            at: self.at,
            news,
        });
        position
    }

    fn reach(&self, conversation: ConversationId, members_max: i32) -> Reach {
        let at = self.conversation(conversation);
        match at {
            Some(at) if at.member_count > members_max => Reach::Few,
            Some(_) | None => Reach::Everyone,
        }
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

    /// Ends a session; when it was last used is kept.
    pub fn end_session(&mut self, user: UserId, session: SessionId) {
        self.publish(News::SessionEnded { user, session });
        let sessions = self.known.sessions.entry(user).or_default();
        let ended = sessions.iter().find(|other| other.id == session);
        let used_at = ended.map(|session| session.last_used_at);
        sessions.retain(|other| other.id != session);
        self.ended_sessions.push(session);
        if let Some(Some(known)) = self.known.users.get_mut(&user) {
            known.last_seen_at = known.last_seen_at.max(used_at);
            self.changed_users.insert(user);
        }
    }

    /// Closes an account: nobody can sign in with it, its name is gone, and whatever asks for the person finds nobody.
    /// What ties them to others is written down to be ended.
    pub fn close_account(&mut self, user: UserId) {
        let sessions: Vec<_> = self.sessions_of(user).iter().map(|s| s.id).collect();
        for session in sessions {
            self.end_session(user, session);
        }
        if let Some(closed) = self.known.users.insert(user, None).flatten() {
            self.known.handles.insert(closed.handle, None);
            self.publish(News::AccountClosed { user });
            self.closed_accounts.push(user);
        }
    }

    /// Says that nothing is left of a closed account.
    pub fn forget_closed_account(&mut self, user: UserId) {
        self.effects += 1;
        self.forgotten_accounts.push(user);
    }

    /// Adds a conversation, without members.
    pub fn add_conversation(&mut self, conversation: Conversation) {
        self.effects += 1;
        if let (creator, Some(key)) = &conversation.creation {
            self.known
                .creations
                .insert((*creator, key.clone()), Some(conversation.id));
        }
        if let Some(pair) = conversation.pair {
            self.known.directs.insert(pair, Some(conversation.id));
        }
        if conversation.kind == ConversationKind::Channel {
            self.titled_channels.insert(conversation.id);
        }
        self.changed_conversations.insert(conversation.id);
        self.known
            .conversations
            .insert(conversation.id, Some(conversation));
    }

    /// Changes a conversation's title, topic, policies or archive.
    pub fn update_conversation(&mut self, conversation: Conversation) {
        let id = conversation.id;
        // What members may do here concerns each of them.
        let concerns_all = self.conversation(id).is_none_or(|before| {
            before.archived_at != conversation.archived_at
                || before.posting_policy != conversation.posting_policy
                || before.invite_policy != conversation.invite_policy
        });
        let reach = if concerns_all {
            Reach::Everyone
        } else {
            self.reach(id, MEMBERS_TOLD_MAX)
        };
        if conversation.kind == ConversationKind::Channel {
            self.titled_channels.insert(id);
        }
        self.changed_conversations.insert(id);
        self.known.conversations.insert(id, Some(conversation));
        self.publish(News::ConversationUpdated {
            conversation: id,
            reach,
        });
    }

    /// Lets somebody in; whatever was said before counts as read.
    pub fn join(&mut self, mut membership: Membership) -> Membership {
        let (conversation, user) = (membership.conversation, membership.user);
        let position = self.publish(News::MemberJoined {
            conversation,
            user,
            membership: membership.id,
            role: membership.role,
            reach: self.reach(conversation, MEMBERS_TOLD_MAX),
        });
        membership.joined_at = self.at;
        membership.joined_position = position;
        membership.read_position = position;
        membership.read_at = self.at;
        self.changed_conversations.insert(conversation);
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
        let is_channel = self
            .conversation(conversation)
            .is_some_and(|at| at.kind == ConversationKind::Channel);
        let news = News::MemberLeft {
            conversation,
            user,
            membership: membership.id,
            reason,
            reads_on: is_channel && reason != RemovalReason::Banned,
            reach: self.reach(conversation, MEMBERS_TOLD_MAX),
        };
        let position = self.publish(news);
        self.changed_memberships.remove(&(conversation, user));
        self.moved_memberships.remove(&(conversation, user));
        self.ended_memberships.push(EndedMembership {
            membership,
            position,
            reason,
        });
        let Some(Some(known)) = self.known.conversations.get_mut(&conversation) else {
            return;
        };
        known.member_count -= 1;
        self.changed_conversations.insert(conversation);
        if known.member_count == 0 {
            self.delete_conversation(conversation);
        }
    }

    /// Ends somebody's place, and keeps them from coming back.
    pub fn ban(&mut self, conversation: ConversationId, user: UserId) {
        self.leave(conversation, user, RemovalReason::Banned);
        self.put_ban(conversation, user, true);
    }

    /// Lets somebody come back.
    pub fn unban(&mut self, conversation: ConversationId, user: UserId) {
        self.put_ban(conversation, user, false);
    }

    fn put_ban(&mut self, conversation: ConversationId, user: UserId, stands: bool) {
        self.effects += 1;
        let banned_at = self.at;
        let ban = Ban {
            conversation,
            user,
            banned_at,
        };
        self.known.bans.insert((conversation, user), stands);
        self.changed_bans
            .insert((conversation, user), (ban, stands));
    }

    /// Deletes a conversation: from here on it is nowhere. Its rows stay; everything reads by the mark.
    pub fn delete_conversation(&mut self, conversation: ConversationId) {
        let position = self.publish(News::ConversationDeleted { conversation });
        if let Some(Some(known)) = self.known.conversations.get_mut(&conversation) {
            known.deleted_position = Some(position);
            self.changed_conversations.insert(conversation);
        }
    }

    /// Gives a member another role.
    pub fn change_role(&mut self, conversation: ConversationId, user: UserId, role: Role) {
        let place = (conversation, user);
        let Some(Some(known)) = self.known.memberships.get_mut(&place) else {
            return;
        };
        known.role = role;
        let membership = known.id;
        self.changed_memberships.insert(place);
        self.publish(News::MemberChanged {
            conversation,
            user,
            membership,
            role,
            reach: self.reach(conversation, MEMBERS_TOLD_MAX),
        });
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
        known.active_at = if self.faults.has(Fault::TimeFromTheClockOnly) {
            self.at
        } else {
            known.active_at.max(self.at)
        };
        // A key that is not looked for can't be stored either: it may be there.
        let idempotency_key =
            idempotency_key.filter(|_| !self.faults.has(Fault::KeyCheckedOutside));
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
            membership.read_at = self.at;
            self.moved_memberships.insert((conversation, sender));
        }
        if let Some(key) = idempotency_key {
            self.known.newest_keys.add(conversation, sender, key);
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
            let reach = self.reach(conversation, MARKS_TOLD_MAX);
            let position = self.publish(News::ReadMarkMoved {
                conversation,
                user,
                reach,
            });
            if let Some(Some(membership)) = self.known.memberships.get_mut(&(conversation, user)) {
                membership.read_seq = read_seq;
                membership.read_position = position;
                membership.read_at = self.at;
                self.moved_memberships.insert((conversation, user));
            }
        }
    }
}
