//! Handing a change to everybody on this node who hears it.

use std::sync::Arc;

use super::{
    Frame, Item,
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
            frame: Arc::new(Frame::for_all(Arc::clone(item), self.heads())),
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
        if let News::ConversationDeleted { conversation } = change.news {
            self.note_for_those_who_load(change);
            self.end_conversation(conversation, &entry);
            return;
        }
        if let News::ReadMarkMoved {
            reach: Reach::Few, ..
        } = change.news
        {
            // Their own devices were told; nobody else is, however many follow.
            return;
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

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::{
        fault::Faults,
        live::{
            audience::Joined,
            inbox::{Found, Inbox},
        },
        model::{Id, MembershipId, Position, RemovalReason, Role, Timestamp},
        store::Followed,
    };

    const ALICE: u128 = 1;
    const WALKS: u128 = 2;

    fn id<I: Id>(n: u128) -> I {
        I::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn deliver(audience: &mut Audience, position: Position, news: News) {
        let change = Change {
            shard: 0,
            position,
            at: Timestamp::from_millis(0),
            news,
        };
        audience.deliver(&Arc::new(Item::new(change)));
    }

    fn joined() -> News {
        News::MemberJoined {
            conversation: id(WALKS),
            user: id(ALICE),
            membership: id::<MembershipId>(3),
            role: Role::Member,
            reach: Reach::Everyone,
        }
    }

    fn left() -> News {
        News::MemberLeft {
            conversation: id(WALKS),
            user: id(ALICE),
            membership: id::<MembershipId>(3),
            reason: RemovalReason::Removed,
            reads_on: false,
            reach: Reach::Everyone,
        }
    }

    fn updated() -> News {
        News::ConversationUpdated {
            conversation: id(WALKS),
            reach: Reach::Everyone,
        }
    }

    fn since(position: Position) -> Vec<Followed> {
        vec![Followed {
            user: id(ALICE),
            conversation: id(WALKS),
            since: position,
            role: Role::Member,
            pair: None,
        }]
    }

    /// Alice, whose set is being loaded while the hub stands at 10.
    fn loading() -> (Audience, Arc<Inbox>, u64) {
        let mut audience = Audience::new(&[10], Arc::default(), Faults::default());
        let inbox = Arc::new(Inbox::new());
        let Joined::Unknown { generation } = audience.join(id(ALICE), &inbox) else {
            panic!("nothing is known yet");
        };
        (audience, inbox, generation)
    }

    fn heard(inbox: &Inbox) -> Vec<Position> {
        let (mut heard, mut task) = (Vec::new(), Context::from_waker(Waker::noop()));
        while let Poll::Ready(Found::Entry(entry)) = inbox.poll_take(&mut task) {
            heard.push(entry.item.change.position);
        }
        heard
    }

    #[test]
    fn a_joining_while_the_set_was_read_counts_although_the_set_does_not_have_it() {
        let (mut audience, inbox, generation) = loading();
        deliver(&mut audience, 11, joined());
        audience.install(id(ALICE), generation, &[], &[]);
        assert!(
            matches!(audience.join(id(ALICE), &inbox), Joined::Until(heads) if heads[..] == [11])
        );
        deliver(&mut audience, 12, updated());
        assert_eq!(heard(&inbox), [12]);
    }

    #[test]
    fn a_removal_while_the_set_was_read_counts_although_the_set_is_from_before_it() {
        let (mut audience, inbox, generation) = loading();
        deliver(&mut audience, 11, left());
        audience.install(id(ALICE), generation, &since(5), &[]);
        audience.join(id(ALICE), &inbox);
        deliver(&mut audience, 12, updated());
        assert_eq!(heard(&inbox), [0; 0]);
    }

    #[test]
    fn a_set_from_beyond_the_hub_is_not_undone_by_what_the_hub_hears_later() {
        let (mut audience, inbox, generation) = loading();
        // Removed at 11 and back at 13, both read before the hub heard of either.
        audience.install(id(ALICE), generation, &since(13), &[]);
        audience.join(id(ALICE), &inbox);
        deliver(&mut audience, 11, left());
        deliver(&mut audience, 12, updated());
        deliver(&mut audience, 13, joined());
        deliver(&mut audience, 14, updated());
        assert_eq!(
            heard(&inbox),
            [11, 13, 14],
            "what was changed while she was away is not hers"
        );
    }

    #[test]
    fn what_a_hole_made_doubtful_is_loaded_anew() {
        let (mut audience, inbox, generation) = loading();
        assert!(audience.lag(0, 20));
        assert!(!audience.lag(0, 20), "it stands there already");
        audience.install(id(ALICE), generation, &since(5), &[]);
        let Joined::Unknown { generation } = audience.join(id(ALICE), &inbox) else {
            panic!("what was read before the hole does not count");
        };
        audience.install(id(ALICE), generation, &since(5), &[]);
        assert!(
            matches!(audience.join(id(ALICE), &inbox), Joined::Until(heads) if heads[..] == [20])
        );
    }
}
