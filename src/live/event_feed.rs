//! One client's stream of everything that happens to a person: without a gap, without a repeat.
//!
//! A feed is *behind* (it reads the log, up to where the hub stood when it joined) or *live* (it takes what the hub has
//! handed to its inbox since). A first load, coming back, taking too little, and changes that were lost on the way are
//! one and the same thing: behind.

use std::{
    collections::{HashSet, VecDeque},
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    Frame, Hub, Item,
    audience::Joined,
    catch_up::Broken,
    inbox::{Entry, Found, Inbox},
};
use crate::{
    fault::Fault,
    model::{ConversationId, Cursor, Heads, News, Position, Shard, Span, UserId},
};

enum State {
    /// The client cannot go on from where it is.
    Resync,
    /// What it missed is being read.
    Behind,
    /// The hub hands it on.
    Live,
    Over,
}

/// Everything that happens to a person.
pub struct EventFeed {
    hub: Arc<Hub>,
    user: UserId,
    inbox: Arc<Inbox>,
    /// What was delivered: everything up to here.
    at: Vec<Position>,
    state: State,
    frames: VecDeque<Frame>,
    /// Conversations of which nothing is told until the person leaves them: they were not told that they joined.
    unheard: HashSet<ConversationId>,
    has_told: bool,
    was_caught_up: bool,
    /// How many positions to read at once.
    width: Position,
    next_heartbeat: Instant,
    /// Rings then or before: it is set when the feed first waits and whenever it rang, not at each frame.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// Where a feed begins.
#[derive(Debug, Clone)]
pub enum Begin {
    /// After this place.
    After(Cursor),
    /// Nowhere: the client's place is not of this history. It is told the place where it can begin.
    Resync(Cursor),
}

impl EventFeed {
    /// Begins to listen.
    pub fn open(hub: &Arc<Hub>, user: UserId, begin: Begin) -> Self {
        let (Cursor(at), state) = match begin {
            Begin::After(at) => (at, State::Behind),
            Begin::Resync(at) => (at, State::Resync),
        };
        Self {
            hub: Arc::clone(hub),
            user,
            inbox: Arc::new(Inbox::new()),
            at: at.to_vec(),
            state,
            frames: VecDeque::new(),
            unheard: HashSet::new(),
            has_told: false,
            was_caught_up: false,
            width: hub.limits.catch_up_rows.into(),
            next_heartbeat: Instant::now() + hub.limits.heartbeat_every,
            alarm: None,
        }
    }

    /// Tells nothing more of these conversations, until the person leaves them.
    pub fn leave_out(&mut self, conversations: Vec<ConversationId>) {
        self.unheard.extend(conversations);
    }

    /// Whether a change is of a conversation that is left out.
    fn is_left_out(&mut self, item: &Item) -> bool {
        let news = &item.change.news;
        let Some(conversation) = news.conversation() else {
            return false;
        };
        if news.own_membership(self.user).is_some() {
            self.unheard.remove(&conversation);
        }
        self.unheard.contains(&conversation)
    }

    /// The next frame; none when the stream has ended.
    pub async fn next(&mut self) -> Result<Option<Arc<Frame>>, Broken> {
        loop {
            if let Some(mut frame) = self.frames.pop_front() {
                self.leave_out_what_is_gone(&mut frame);
                return Ok(Some(self.tell(Arc::new(frame))));
            }
            match self.state {
                State::Over => return Ok(None),
                State::Resync => {
                    self.state = State::Over;
                    let frame = Frame::resync(self.cursor(), self.was_caught_up);
                    return Ok(Some(self.tell(Arc::new(frame))));
                }
                // In a box: most feeds are live most of the time.
                State::Behind => Box::pin(self.catch_up()).await?,
                State::Live => {
                    if let Some(frame) = self.hear().await {
                        return Ok(Some(self.tell(frame)));
                    }
                }
            }
        }
    }

    fn tell(&mut self, frame: Arc<Frame>) -> Arc<Frame> {
        self.has_told = true;
        self.was_caught_up |= frame.is_caught_up;
        self.next_heartbeat = Instant::now() + self.hub.limits.heartbeat_every;
        frame
    }

    fn cursor(&self) -> Cursor {
        let beyond = Position::from(self.hub.faults.has(Fault::CursorOffByOne));
        Cursor(self.at.iter().map(|at| at + beyond).collect())
    }

    fn frame(&self, items: Vec<Arc<Item>>) -> Frame {
        Frame::own(items, self.cursor(), self.was_caught_up)
    }

    /// Reads the log from where the client is, one window of it.
    async fn catch_up(&mut self) -> Result<(), Broken> {
        let until = loop {
            let joined = self.hub.audience().join(self.user, &self.inbox);
            match joined {
                Joined::Until(heads) => break heads,
                Joined::Unknown { generation } => {
                    self.hub.reading.load(self.user, generation).await?;
                }
            }
        };
        if self.hub.faults.has(Fault::LiveBeforeCatchUp) {
            self.state = State::Live;
            return Ok(());
        }
        for shard in 0..self.at.len() {
            if !self.read_shard(shard, &until).await? {
                return Ok(());
            }
        }
        if self.inbox.is_lost() {
            self.begin_anew();
            return Ok(());
        }
        if !self.inbox.is_open() {
            // So much happened meanwhile that the inbox is full: there is more to read.
            return Ok(());
        }
        self.state = State::Live;
        self.width = self.hub.limits.catch_up_rows.into();
        match self.frames.back_mut() {
            Some(last) => last.is_caught_up = true,
            None if self.was_caught_up => {}
            None => {
                let frame = Frame::own(Vec::new(), self.cursor(), true);
                self.frames.push_back(frame);
            }
        }
        Ok(())
    }

    /// Whether the client has all of a shard up to there; else frames are to be told first, or it is to join again.
    async fn read_shard(&mut self, shard: usize, until: &Heads) -> Result<bool, Broken> {
        let until = until.get(shard).copied().unwrap_or(0);
        loop {
            let Some(after) = self.at.get(shard).copied().filter(|at| *at < until) else {
                return Ok(true);
            };
            let span = Span {
                shard: Shard::try_from(shard).unwrap_or(Shard::MAX),
                after,
                until,
            };
            let Some(window) = self.hub.reading.read(self.user, span, self.width).await? else {
                return Ok(false);
            };
            self.width = window.width;
            self.cut(shard, window.items);
            let is_all = window.until >= until;
            if let Some(at) = self.at.get_mut(shard) {
                *at = window.until;
                if self.hub.faults.has(Fault::ResumeStopsAtAPage) {
                    *at = until;
                }
            }
            let cursor = self.cursor();
            if let Some(last) = self.frames.back_mut() {
                last.cursor = cursor;
                return Ok(is_all);
            }
            if !is_all && (!self.has_told || Instant::now() >= self.next_heartbeat) {
                // There is much to look through and little to tell: the client keeps how far that is.
                let frame = self.frame(Vec::new());
                self.frames.push_back(frame);
                return Ok(false);
            }
        }
    }

    /// Cuts what was read of a shard into frames.
    fn cut(&mut self, shard: usize, items: Vec<Arc<Item>>) {
        let (events_max, bytes_max) = {
            let limits = &self.hub.limits;
            (limits.frame_events_max, limits.frame_bytes_max)
        };
        let (mut some, mut events, mut bytes) = (Vec::new(), 0, 0);
        let mut items = items.into_iter().peekable();
        while let Some(item) = items.next() {
            events += item.change.news.events_max();
            bytes += item.bytes();
            if let Some(at) = self.at.get_mut(shard) {
                *at = item.change.position;
            }
            some.push(item);
            let is_full = items.peek().is_none_or(|next| {
                events + next.change.news.events_max() > events_max
                    || bytes + next.bytes() > bytes_max
            });
            if is_full {
                let frame = self.frame(std::mem::take(&mut some));
                self.frames.push_back(frame);
                (events, bytes) = (0, 0);
            }
        }
    }

    /// A frame of what was read may wait long for a client that is slow. What was said where the client may read no
    /// longer is not told any more, and then nothing else of it until they are told that they left.
    fn leave_out_what_is_gone(&mut self, frame: &mut Frame) {
        let hub = Arc::clone(&self.hub);
        let audience = hub.audience();
        frame.items.retain(|item| {
            let change = &item.change;
            if let News::MessageSent(message) = &change.news
                && audience.has_left(self.user, message.conversation, change.position)
            {
                self.unheard.insert(message.conversation);
            }
            !self.is_left_out(item)
        });
    }

    /// The next frame of what the hub hands on, or a heartbeat; none when the log is to be read.
    async fn hear(&mut self) -> Option<Arc<Frame>> {
        loop {
            match poll_fn(|task| self.poll_found(task)).await {
                Some(Found::Entry(entry)) => {
                    if let Some(frame) = self.meet(entry) {
                        return Some(frame);
                    }
                }
                Some(Found::Lagged) => {
                    self.state = State::Behind;
                    if self.hub.faults.has(Fault::CursorGoesBack) {
                        self.at.iter_mut().for_each(|at| *at = (*at - 3).max(0));
                    }
                    return None;
                }
                Some(Found::Lost) => {
                    self.begin_anew();
                    return None;
                }
                None => {
                    if let Some(frame) = self.heartbeat() {
                        return Some(Arc::new(frame));
                    }
                }
            }
        }
    }

    /// What is in the inbox; nothing when it is time for a heartbeat first.
    fn poll_found(&mut self, task: &mut Context<'_>) -> Poll<Option<Found>> {
        if let Poll::Ready(found) = self.inbox.poll_take(task) {
            return Poll::Ready(Some(found));
        }
        let set = || Box::pin(sleep_until(self.next_heartbeat));
        let alarm = self.alarm.get_or_insert_with(set);
        while alarm.as_mut().poll(task).is_ready() {
            let now = Instant::now();
            let is_due = now >= self.next_heartbeat;
            if is_due {
                self.next_heartbeat = now + self.hub.limits.heartbeat_every;
            }
            alarm.as_mut().reset(self.next_heartbeat);
            if is_due {
                return Poll::Ready(None);
            }
        }
        Poll::Pending
    }

    /// The log is not the one that the client heard: it is told where it can begin.
    fn begin_anew(&mut self) {
        self.at = self.hub.audience().heads().to_vec();
        self.frames.clear();
        self.state = State::Resync;
    }

    /// What a change is to this client: nothing when it has it already.
    fn meet(&mut self, Entry { item, frame }: Entry) -> Option<Arc<Frame>> {
        let change = &item.change;
        let at = self.at.get(usize::from(change.shard)).copied();
        if at.is_some_and(|at| change.position <= at) {
            return None;
        }
        if self.is_left_out(&item) {
            return None;
        }
        let heads = &frame.cursor.0;
        // A client may be ahead of this node in another shard; its place never goes back.
        let is_common = self
            .at
            .iter()
            .zip(heads.iter())
            .all(|(at, head)| at <= head);
        for (at, head) in self.at.iter_mut().zip(heads.iter()) {
            *at = (*at).max(*head);
        }
        if is_common && !self.hub.faults.has(Fault::CursorOffByOne) {
            return Some(frame);
        }
        Some(Arc::new(self.frame(vec![item])))
    }

    /// Says how far the log is, when everything up to there was told.
    fn heartbeat(&mut self) -> Option<Frame> {
        let audience = self.hub.audience();
        if !self.inbox.is_up_to_date() {
            return None;
        }
        let heads = audience.heads();
        drop(audience);
        for (at, head) in self.at.iter_mut().zip(heads.iter()) {
            *at = (*at).max(*head);
        }
        Some(self.frame(Vec::new()))
    }
}

impl Drop for EventFeed {
    fn drop(&mut self) {
        self.hub.audience().leave(self.user, &self.inbox);
    }
}
