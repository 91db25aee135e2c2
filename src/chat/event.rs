//! What happened, as one person may hear of it.
//!
//! A change becomes an event when it is told: with its object as it is then. What is gone since, or may not be seen any
//! more, is left out; so what is told below an event takes the object as proof that it may be told.

use std::sync::Arc;

use super::{
    Chat, Error, Viewer,
    admission::{Parts, Wanted},
};
use crate::{
    fault::Fault,
    live::{Begin, EventFeed, Item},
    model::{
        Change, Conversation, ConversationId, Cursor, EventId, FriendRequest, Friendship,
        FriendshipId, Heads, Membership, MembershipId, Message, News, RemovalReason, Timestamp,
        User, UserId,
    },
};

/// Something that happened to a person.
#[derive(Debug, Clone)]
pub struct Event {
    /// Which.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
}

/// What happened, with what it happened to as it is now.
#[derive(Debug, Clone)]
pub enum Happening {
    /// A message was sent.
    MessageSent(Arc<Message>),
    /// A conversation is in the person's list now.
    ConversationAdded(Conversation),
    /// Something about it is different, or what the person may do in it.
    ConversationUpdated(Conversation),
    /// It is in the person's list no longer.
    ConversationRemoved {
        /// Which.
        conversation: ConversationId,
        /// Why.
        reason: Removal,
        /// A channel that the person may read all the same.
        channel: Option<Conversation>,
    },
    /// Somebody joined, or has another role.
    MemberChanged(Membership),
    /// Another member is none any more.
    MemberRemoved(Conversation, MembershipId),
    /// Somebody has read so far.
    ReadStatusChanged(Membership),
    /// Somebody looks different.
    UserUpdated(Arc<User>),
    /// A request was made, answered or withdrawn.
    FriendRequestChanged(FriendRequest),
    /// A friendship began, with this friend.
    FriendAdded(Friendship, Arc<User>),
    /// A friendship with this person ended.
    FriendRemoved(FriendshipId, UserId),
    /// The person blocked somebody, or took it back.
    BlockChanged(Arc<User>),
}

/// Why a conversation is in somebody's list no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Their membership ended.
    Membership(RemovalReason),
    /// The conversation was deleted.
    Deleted,
}

/// What changes are to one person.
#[derive(Debug, Default)]
pub struct Events {
    /// By position in their shards.
    pub events: Vec<Event>,
    /// Conversations of which the person was not told that they joined them, for they are there no longer: nothing else
    /// is told of these, until they leave.
    pub unheard: Vec<ConversationId>,
}

impl Events {
    /// Whether a change is of a conversation that the person was not told to have joined.
    fn is_unheard(&mut self, viewer: UserId, news: &News, parts: &Parts) -> bool {
        let Some(conversation) = news.conversation() else {
            return false;
        };
        if let Some(joins) = news.own_membership(viewer) {
            self.unheard.retain(|other| *other != conversation);
            if joins && parts.iter().all(Option::is_none) {
                self.unheard.push(conversation);
            }
            return false;
        }
        if let News::MessageSent(_) = news
            && parts.iter().all(Option::is_none)
        {
            // They are there no longer. To tell the next one, for nobody looked again, would leave a gap.
            self.unheard.push(conversation);
        }
        self.unheard.contains(&conversation)
    }
}

impl Chat {
    /// Everything that happens to the viewer, from behind a place on, or from now on (where the log stood at `heads`).
    pub fn follow_events(&self, viewer: Viewer, after: Option<&str>, heads: &Heads) -> EventFeed {
        let now = || Cursor(Arc::clone(heads));
        let begin = match after.map(|text| Cursor::read(text, self.store.epoch(), heads)) {
            None => Begin::After(now()),
            Some(Ok(cursor)) => Begin::After(cursor),
            Some(Err(_)) => Begin::Resync(now()),
        };
        EventFeed::open(&self.hub, viewer.user, begin)
    }

    /// A place of a stream of events, as clients keep it.
    pub fn cursor(&self, place: &Cursor) -> String {
        place.write(self.store.epoch())
    }

    /// A message, as the event that everybody hears alike.
    pub fn message_event(&self, change: &Change, message: &Arc<Message>) -> Event {
        self.event(change, 0, Happening::MessageSent(Arc::clone(message)))
    }

    /// What these changes are to the viewer, as it is now. Messages were handed on to members, and are told even if their
    /// conversation went at this moment, unless all is to be `looked_at`.
    pub async fn events(
        &self,
        viewer: Viewer,
        items: &[Arc<Item>],
        looked_at: bool,
    ) -> Result<Events, Error> {
        let mut wanted = Wanted::new(looked_at);
        for item in items {
            wanted.add(viewer.user, &item.change.news);
        }
        let first = items.first().map(|item| &item.change);
        let since = first.map_or((0, 0), |change| (change.shard, change.position));
        let found = self.look_up(viewer, wanted, since).await?;
        let mut told = Events::default();
        for item in items {
            let parts = found.admit(viewer.user, &item.change);
            if told.is_unheard(viewer.user, &item.change.news, &parts) {
                continue;
            }
            if self.faults.has(Fault::GoneIsAnError) && parts.iter().all(Option::is_none) {
                return Err(Error::BadInput("gone".to_owned()));
            }
            // Numbered before any is left out: each keeps its identifier whatever becomes of the other.
            for (part, what) in (0..).zip(parts) {
                if let Some(what) = what {
                    told.events.push(self.event(&item.change, part, what));
                }
            }
        }
        Ok(told)
    }

    fn event(&self, change: &Change, part: u8, what: Happening) -> Event {
        Event {
            id: EventId {
                epoch: self.store.epoch(),
                shard: change.shard,
                position: change.position,
                part,
            },
            // The clock may have gone back; a conversation's time does not.
            at: if let Happening::MessageSent(message) = &what {
                message.sent_at
            } else {
                change.at
            },
            what,
        }
    }
}
