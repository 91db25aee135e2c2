//! One person's stream of one conversation's messages: without a gap, without a repeat.
//!
//! A feed is *behind* (it reads the log, page by page) or *live* (it takes from the conversation's tail). It takes its
//! place in the tail first and reads the log afterwards, so nothing can fall between the two; what is in both is known
//! by its number. Being slow, a hole, or a new start are one and the same thing: behind.

use std::{collections::VecDeque, sync::Arc};

use super::{Hub, Item, hub::HeldTail, tail::Taken};
use crate::{
    model::{
        Action, Change, Conversation, ConversationId, Id, News, PageRequest, Position, UserId,
        message::{MessageKey, MessagesWanted},
    },
    store::{Error, Store},
};

/// Where a feed begins.
#[derive(Debug, Clone, Copy)]
pub enum Start {
    /// With the message after this number.
    After(i32),
    /// With the first message whose position lies behind this one.
    Now(Position),
}

/// Why a feed is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unopened {
    /// The conversation is not there, or not for this person.
    NotThere,
    /// It was to begin behind a message that does not exist: the client knows another history.
    Beyond {
        /// Number of the newest message.
        last_seq: i32,
    },
}

/// Messages of one conversation, for one person, for as long as they may read it.
pub struct MessageFeed {
    store: Store,
    tail: HeldTail,
    conversation: ConversationId,
    user: UserId,
    next_seq: i32,
    /// A leaving from before this position is of an earlier membership.
    since: Position,
    behind: bool,
    backlog: VecDeque<Arc<Item>>,
}

impl MessageFeed {
    /// Begins to listen, if the person may.
    pub async fn open(
        hub: &Arc<Hub>,
        store: &Store,
        user: UserId,
        conversation: ConversationId,
        start: Start,
    ) -> Result<Result<Self, Unopened>, Error> {
        let tail = hub.hold_tail(conversation);
        let Some((found, since)) = readable(store, user, conversation).await? else {
            return Ok(Err(Unopened::NotThere));
        };
        let seq = match start {
            Start::After(seq) if seq > found.last_seq => {
                let last_seq = found.last_seq;
                return Ok(Err(Unopened::Beyond { last_seq }));
            }
            Start::After(seq) => seq,
            Start::Now(position) if found.head_position <= position => found.last_seq,
            Start::Now(position) => store.seq_at(conversation, position).await?,
        };
        Ok(Ok(Self {
            store: store.clone(),
            tail,
            conversation,
            user,
            next_seq: seq.saturating_add(1),
            since,
            behind: seq < found.last_seq,
            backlog: VecDeque::new(),
        }))
    }

    /// Whether the person may read the conversation now.
    pub async fn may_read(&self) -> Result<bool, Error> {
        let found = readable(&self.store, self.user, self.conversation).await?;
        Ok(found.is_some())
    }

    /// The next message; none when the person may read the conversation no longer.
    pub async fn next(&mut self) -> Result<Option<Arc<Item>>, Error> {
        loop {
            if let Some(item) = self.backlog.pop_front() {
                return Ok(Some(item));
            }
            if self.behind {
                // In a box: most feeds are live most of the time.
                if !Box::pin(self.read_backlog()).await? {
                    return Ok(None);
                }
                continue;
            }
            match self.tail.take().await {
                Taken::Item(item) => match self.meets(&item) {
                    Meeting::Deliver => return Ok(Some(item)),
                    Meeting::Pass => {}
                    Meeting::End => return Ok(None),
                },
                Taken::Lagged => self.behind = true,
            }
        }
    }

    fn meets(&mut self, item: &Item) -> Meeting {
        match &item.change.news {
            News::MessageSent(message) if message.seq == self.next_seq => {
                self.next_seq += 1;
                Meeting::Deliver
            }
            News::MessageSent(message) if message.seq > self.next_seq => {
                self.behind = true;
                Meeting::Pass
            }
            News::MemberLeft {
                user,
                reads_on: false,
                ..
            } if *user == self.user && item.change.position > self.since => Meeting::End,
            News::ConversationDeleted { .. } => Meeting::End,
            News::MessageSent(_)
            | News::MemberLeft { .. }
            | News::MemberJoined { .. }
            | News::MemberChanged { .. }
            | News::ConversationUpdated { .. }
            | News::ReadMarkMoved { .. }
            | News::ProfileUpdated { .. }
            | News::FriendRequestChanged { .. }
            | News::FriendshipBegan { .. }
            | News::FriendshipEnded { .. }
            | News::BlockChanged { .. }
            | News::AccountClosed { .. }
            | News::SessionEnded { .. } => Meeting::Pass,
        }
    }

    /// Reads the next page of the log. The newest number is read with the right to read or before it, and the rows only
    /// up to that number: so nothing that was sent after a removal is ever among them.
    async fn read_backlog(&mut self) -> Result<bool, Error> {
        let Some((found, since)) = readable(&self.store, self.user, self.conversation).await?
        else {
            return Ok(false);
        };
        self.since = since;
        if self.next_seq > found.last_seq {
            self.behind = false;
            return Ok(true);
        }
        let page = PageRequest {
            after: Some(MessageKey(self.next_seq - 1)),
            before: Some(MessageKey(found.last_seq.saturating_add(1))),
            items: self.tail.limits().catch_up_page,
            from_back: false,
        };
        let wanted = MessagesWanted {
            conversation: self.conversation,
            page,
            is_cut: true,
        };
        let Some(page) = self.store.list_messages(&[wanted]).await?.pop() else {
            return Ok(true);
        };
        // Where nothing was found although something is there, another read would find nothing again.
        self.behind = page.has_next && !page.items.is_empty();
        for message in page.items {
            self.next_seq = message.seq + 1;
            let change = Change {
                shard: self.conversation.shard(self.store.shards()),
                position: message.position,
                at: message.sent_at,
                news: News::MessageSent(message),
            };
            self.backlog.push_back(Arc::new(Item::new(change)));
        }
        Ok(true)
    }
}

/// A conversation, if somebody may read it, and since which position they may.
async fn readable(
    store: &Store,
    user: UserId,
    conversation: ConversationId,
) -> Result<Option<(Conversation, Position)>, Error> {
    let place = store.find_place(user, conversation).await?;
    Ok(place
        .filter(|place| place.may(Action::Read).is_ok())
        .map(|place| {
            let joined = place
                .membership
                .map(|membership| membership.joined_position);
            let since = joined.unwrap_or(place.conversation.head_position);
            (place.conversation, since)
        }))
}

enum Meeting {
    Deliver,
    Pass,
    End,
}
