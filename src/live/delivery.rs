//! Handing a change to everybody on this node who hears it.

use std::sync::Arc;

use super::{
    Item,
    audience::{Audience, NOTED_MAX, Person, State},
    followers::Topic,
    inbox::Entry,
};
use crate::{
    fault::{Fault, Point},
    model::{Change, ConversationId, News, Reach, UserId},
};

impl Audience {
    /// Hands a change to everybody who hears it. What they follow changes at its position.
    pub(super) fn deliver(&mut self, item: &Arc<Item>) {
        let change = &item.change;
        if let Some(head) = self.heads.get_mut(usize::from(change.shard)) {
            *head = change.position;
        }
        if self.people.is_empty() {
            return;
        }
        let entry = Entry {
            item: Arc::clone(item),
            heads: self.heads(),
        };
        let (one, other) = change.news.concerns();
        for user in [one, other].into_iter().flatten() {
            self.note(user, change);
            self.put(user, &entry);
        }
        let topic = if let News::ProfileUpdated { user } = change.news {
            Some(Topic::Profile(user))
        } else {
            change.news.conversation().map(Topic::Conversation)
        };
        let Some(topic) = topic else { return };
        match change.news {
            News::ConversationDeleted { conversation } => {
                self.note_for_those_who_load(change);
                self.end_conversation(conversation, &entry);
                return;
            }
            // Their own devices were told; nobody else is, however many follow.
            News::ReadMarkMoved {
                reach: Reach::Few, ..
            } => return,
            News::MessageSent(_)
            | News::MemberJoined { .. }
            | News::MemberLeft { .. }
            | News::MemberChanged { .. }
            | News::ConversationUpdated { .. }
            | News::ReadMarkMoved { .. }
            | News::ProfileUpdated { .. }
            | News::FriendRequestChanged { .. }
            | News::FriendshipBegan { .. }
            | News::FriendshipEnded { .. }
            | News::BlockChanged { .. }
            | News::AccountClosed { .. }
            | News::SessionEnded { .. } => {}
        }
        for (user, follower) in self.followers.of(topic) {
            if one != Some(user) && follower.hears(user, change) {
                self.put(user, &entry);
            }
        }
    }

    /// A conversation is gone: what was said in it and not heard yet is left out.
    fn end_conversation(&mut self, conversation: ConversationId, entry: &Entry) {
        let topic = Topic::Conversation(conversation);
        for user in self.followers.end(topic) {
            if let Some(person) = self.people.get_mut(&user) {
                person.topics.remove(&topic);
                for inbox in &person.inboxes {
                    inbox.leave_out(conversation);
                    inbox.put(entry.clone(), &self.limits);
                }
            }
        }
    }

    /// Who is in a conversation that goes is not said by the change.
    fn note_for_those_who_load(&mut self, change: &Change) {
        let loads = |person: &Person| matches!(person.state, State::Loading { .. });
        let loading = self.people.iter().filter(|(_, person)| loads(person));
        let loading: Vec<_> = loading.map(|(user, _)| *user).collect();
        for user in loading {
            self.note(user, change);
        }
    }

    fn note(&mut self, user: UserId, change: &Change) {
        let Some(person) = self.people.get_mut(&user) else {
            return;
        };
        match &mut person.state {
            State::Loaded => self.apply(user, change),
            State::Loading { noted, .. } => {
                if let Some(list) = noted {
                    list.push(change.clone());
                    if list.len() > NOTED_MAX {
                        *noted = None;
                    }
                }
            }
        }
    }

    fn put(&self, user: UserId, entry: &Entry) {
        if let Some(person) = self.people.get(&user) {
            for inbox in &person.inboxes {
                if self.faults.has(Fault::LagThatDrops) && inbox.is_full(&self.limits) {
                    continue;
                }
                inbox.put(entry.clone(), &self.limits);
            }
            self.faults.pass(Point::BetweenListeners);
        }
    }
}
