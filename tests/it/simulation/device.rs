//! A device of somebody: it loads once, and from then on knows only what it is told. In the end it must know what the
//! server knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::Arc,
};

use parlor::{
    chat::{Chat, Event, Happening, Viewer},
    live::{Broken, EventFeed, Frame},
    model::{
        Conversation, ConversationId, Membership, MembershipId, Position, Role, UserId,
        conversation::ConversationFilter, page::PageArguments,
    },
    store::Store,
};

/// What a device knows of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    title: Option<String>,
    is_archived: bool,
    last_seq: i32,
    read_seq: i32,
    members: BTreeMap<String, (UserId, Role)>,
}

/// What a device keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cache {
    conversations: BTreeMap<String, Known>,
    friends: BTreeSet<String>,
    name: String,
}

type Next = Pin<Box<dyn Future<Output = (EventFeed, Result<Option<Arc<Frame>>, Broken>)>>>;

/// What a device remembers of a place: enough to go on from there.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    pub(super) cursor: String,
    at: Position,
    cache: Cache,
    /// The number of the message that must come next, by conversation.
    next: BTreeMap<String, i32>,
}

/// A device.
pub(super) struct Device {
    pub(super) who: Viewer,
    pub(super) now: Memory,
    /// Earlier places.
    pub(super) earlier: Vec<Memory>,
    next: Option<Next>,
    /// All messages that were ever shown: where, number, text.
    pub(super) shown: BTreeSet<(String, i32, String)>,
    pub(super) is_caught_up: bool,
    last_time: BTreeMap<String, i64>,
    /// Everything that it heard, for those who look for a bug.
    heard: Vec<String>,
}

/// What a frame needs to be understood: the truth, and the chat that made it.
pub(super) struct Reader<'a> {
    pub(super) runtime: &'a tokio::runtime::Runtime,
    pub(super) chat: &'a Arc<Chat>,
    pub(super) store: &'a Store,
}

impl Reader<'_> {
    /// How many messages a conversation had at a position.
    fn seq_at(&self, conversation: ConversationId, position: Position) -> i32 {
        self.runtime
            .block_on(self.store.seq_at(conversation, position))
            .expect("read")
    }

    fn members(&self, conversation: &Conversation) -> BTreeMap<String, (UserId, Role)> {
        let page = PageArguments {
            first: Some(100),
            ..PageArguments::default()
        };
        let wanted = self
            .chat
            .members_wanted(conversation.id, Vec::new(), &page)
            .expect("a page");
        let found = self
            .runtime
            .block_on(self.chat.members(&[wanted]))
            .expect("read");
        found
            .into_values()
            .flat_map(|page| page.items)
            .map(|member| (member.id.to_string(), (member.user, member.role)))
            .collect()
    }

    /// What the server says now.
    pub(super) fn load(&self, viewer: Viewer) -> Cache {
        let mut cache = Cache::default();
        let page = PageArguments {
            first: Some(100),
            ..PageArguments::default()
        };
        for archived in [false, true] {
            let filter = ConversationFilter {
                kinds: Vec::new(),
                archived,
                unread_only: false,
            };
            let found = self.chat.conversations(viewer, &filter, &page);
            for (conversation, membership) in self.runtime.block_on(found).expect("read").items {
                let known = self.known(&conversation, membership.read_seq);
                cache
                    .conversations
                    .insert(conversation.id.to_string(), known);
            }
        }
        let friends = self
            .runtime
            .block_on(self.chat.friends(viewer, &page))
            .expect("read");
        cache.friends = friends
            .items
            .iter()
            .map(|(_, friend)| friend.id.to_string())
            .collect();
        let own = self
            .runtime
            .block_on(self.chat.users_by_id(&[viewer.user]))
            .expect("read");
        cache.name.clone_from(&own[&viewer.user].display_name);
        cache
    }

    fn known(&self, conversation: &Conversation, read_seq: i32) -> Known {
        Known {
            title: conversation.title.clone(),
            is_archived: conversation.archived_at.is_some(),
            last_seq: conversation.last_seq,
            read_seq,
            members: self.members(conversation),
        }
    }
}

impl Device {
    /// Loads everything, and takes the place from before that.
    pub(super) fn load(who: Viewer, reader: &Reader<'_>) -> Self {
        let heads = reader.chat.heads();
        let cursor = reader
            .chat
            .cursor(&parlor::model::Cursor(Arc::clone(&heads)));
        let cache = reader.load(who);
        let next = cache
            .conversations
            .keys()
            .map(|id| {
                (
                    id.clone(),
                    reader.seq_at(id.parse().expect("an id"), heads[0]) + 1,
                )
            })
            .collect();
        let now = Memory {
            cursor,
            at: heads[0],
            cache,
            next,
        };
        Self {
            who,
            earlier: vec![now.clone()],
            now,
            next: None,
            shown: BTreeSet::new(),
            is_caught_up: false,
            last_time: BTreeMap::new(),
            heard: Vec::new(),
        }
    }

    /// Listens from where it is.
    pub(super) fn listen(&mut self, chat: &Arc<Chat>) {
        let feed = chat.follow_events(self.who, Some(&self.now.cursor), &chat.heads());
        self.next = Some(next(feed));
        self.is_caught_up = false;
        self.heard.push(format!("from {}", self.now.at));
    }

    pub(super) fn is_listening(&self) -> bool {
        self.next.is_some()
    }

    /// Its connection is cut.
    pub(super) fn cut(&mut self) {
        self.next = None;
    }

    /// Goes back to an earlier place.
    pub(super) fn go_back_to(&mut self, memory: Memory) {
        self.cut();
        self.heard.push(format!("back to {}", memory.at));
        self.last_time.clear();
        self.now = memory;
    }

    /// Takes a frame, if there is one. Whether there was.
    pub(super) fn hear(&mut self, reader: &Reader<'_>) -> Result<bool, String> {
        let Some(next_frame) = &mut self.next else {
            return Ok(false);
        };
        // The feed waits for the hub and the reader alone, who do nothing by themselves.
        let heard = reader.runtime.block_on(async {
            tokio::select! {
                biased;
                heard = next_frame => Some(heard),
                () = std::future::ready(()) => None,
            }
        });
        let Some((mut feed, heard)) = heard else {
            return Ok(false);
        };
        self.next = None;
        match heard {
            Ok(Some(frame)) => {
                feed.leave_out(self.take(&frame, reader)?);
                self.next = Some(next(feed));
                Ok(true)
            }
            Ok(None) => Err(format!("the stream of {} ended", self.who.user)),
            // The client comes back.
            Err(_) => Ok(true),
        }
    }

    fn take(&mut self, frame: &Frame, reader: &Reader<'_>) -> Result<Vec<ConversationId>, String> {
        if frame.is_resync {
            return Err("resync although the history is the same".to_owned());
        }
        let to = frame.cursor.0[0];
        if to < self.now.at {
            return Err(format!("a cursor went back from {} to {to}", self.now.at));
        }
        let events = reader.chat.events(self.who, &frame.items, false);
        let told = reader
            .runtime
            .block_on(events)
            .map_err(|error| format!("a frame is an error: {error:?}"))?;
        let mut last = (self.now.at, u8::MAX);
        for event in told.events {
            let place = (event.id.position, event.id.part);
            if place <= last {
                return Err(format!("event {place:?} after {last:?}"));
            }
            last = place;
            let what = format!("{place:?} {:?}", event.what);
            self.heard.push(what.chars().take(160).collect());
            if let Err(wrong) = self.apply(event, reader) {
                let heard = self.heard.iter().rev().take(12).rev();
                let heard: Vec<_> = heard.map(String::as_str).collect();
                return Err(format!("{wrong}\nafter {}", heard.join("\n      ")));
            }
        }
        if to < last.0 {
            return Err(format!("cursor {to} before its event {last:?}"));
        }
        self.now.at = to;
        self.now.cursor = reader.chat.cursor(&frame.cursor);
        self.is_caught_up = frame.is_caught_up;
        self.earlier.push(self.now.clone());
        Ok(told.unheard)
    }

    fn apply(&mut self, event: Event, reader: &Reader<'_>) -> Result<(), String> {
        let cache = &mut self.now.cache;
        match event.what {
            Happening::MessageSent(message) => {
                let id = message.conversation.to_string();
                let known = cache.conversations.get_mut(&id).ok_or_else(|| {
                    format!("{}: a message of {id}, which is not theirs", self.who.user)
                })?;
                let wanted = self.now.next.entry(id.clone()).or_insert(message.seq);
                if message.seq != *wanted {
                    return Err(format!(
                        "{}: message {} instead of {wanted} of {id}",
                        self.who.user, message.seq
                    ));
                }
                *wanted += 1;
                known.last_seq = known.last_seq.max(message.seq);
                if message.sender == self.who.user {
                    known.read_seq = message.seq;
                }
                let time = message.sent_at.millis();
                let before = self.last_time.insert(id.clone(), time);
                if before.is_some_and(|before| before > time) {
                    return Err("the time of messages went back".to_owned());
                }
                self.shown.insert((id, message.seq, message.text.clone()));
            }
            Happening::ConversationAdded(conversation) => {
                let id = conversation.id.to_string();
                let said = reader.seq_at(conversation.id, event.id.position);
                self.now.next.insert(id.clone(), said + 1);
                let known = reader.known(&conversation, said);
                cache.conversations.insert(id, known);
            }
            Happening::ConversationUpdated(conversation) => {
                if let Some(known) = cache.conversations.get_mut(&conversation.id.to_string()) {
                    known.title.clone_from(&conversation.title);
                    known.is_archived = conversation.archived_at.is_some();
                }
            }
            Happening::ConversationRemoved { conversation, .. } => {
                cache.conversations.remove(&conversation.to_string());
                self.now.next.remove(&conversation.to_string());
            }
            Happening::MemberChanged(member) => self.member(&member),
            Happening::ReadStatusChanged(member) => {
                if member.user == self.who.user
                    && let Some(known) = cache
                        .conversations
                        .get_mut(&member.conversation.to_string())
                {
                    known.read_seq = member.read_seq;
                }
            }
            Happening::MemberRemoved(conversation, membership) => {
                self.no_member(conversation.id, membership);
            }
            Happening::UserUpdated(user) if user.id == self.who.user => {
                cache.name.clone_from(&user.display_name);
            }
            Happening::FriendAdded(_, friend) => {
                cache.friends.insert(friend.id.to_string());
            }
            Happening::FriendRemoved(_, former) => {
                cache.friends.remove(&former.to_string());
            }
            Happening::UserUpdated(_)
            | Happening::FriendRequestChanged(_)
            | Happening::BlockChanged(_) => {}
        }
        Ok(())
    }

    fn member(&mut self, member: &Membership) {
        let id = member.conversation.to_string();
        if let Some(known) = self.now.cache.conversations.get_mut(&id) {
            known
                .members
                .insert(member.id.to_string(), (member.user, member.role));
        }
    }

    fn no_member(&mut self, conversation: ConversationId, membership: MembershipId) {
        let id = conversation.to_string();
        if let Some(known) = self.now.cache.conversations.get_mut(&id) {
            known.members.remove(&membership.to_string());
        }
    }

    /// Whether it knows what the server says.
    pub(super) fn check(&self, reader: &Reader<'_>) -> Result<(), String> {
        let truth = reader.load(self.who);
        let (known, said) = (&self.now.cache, &truth);
        if !self.is_caught_up {
            return Err(format!("{} is not told to be up to date", self.who.user));
        }
        for (id, place) in &known.conversations {
            // What was in an answer already is told all the same.
            if self.now.next.get(id) != Some(&(place.last_seq + 1)) {
                let next = self.now.next.get(id);
                return Err(format!(
                    "{}: of {id} {next:?} comes next and not the end: {place:?}",
                    self.who.user
                ));
            }
        }
        if known == said {
            return Ok(());
        }
        let places = known.conversations.keys().chain(said.conversations.keys());
        let differing = places
            .map(|id| (known.conversations.get(id), said.conversations.get(id)))
            .find(|(known, said)| known != said);
        Err(match differing {
            Some((known, said)) => format!(
                "{}: it knows {known:?} and the server {said:?}",
                self.who.user
            ),
            None => format!(
                "{}: it knows {:?} and the server {:?}",
                self.who.user,
                (&known.friends, &known.name),
                (&said.friends, &said.name)
            ),
        })
    }
}

fn next(mut feed: EventFeed) -> Next {
    Box::pin(async move {
        let heard = feed.next().await;
        (feed, heard)
    })
}
