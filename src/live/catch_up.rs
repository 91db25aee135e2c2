//! Reading the log for those who are behind: one read for everybody who waits at that moment.
//!
//! There is no timer. While one read runs the next askers queue up, as writes do at the writer; so after a restart, when
//! everybody comes back at once and missed the same, the rows are read once for some hundreds of them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    Hub,
    window::{JointRead, Wanted, Window},
};
use crate::{
    fault::Point,
    model::{Position, Span, UserId},
    store::{Error, Store},
};

/// Askers who are served together, and wait.
const ASKERS_MAX: usize = 400;

/// The heads of the log are looked at this often.
const HEADS_EVERY: Duration = Duration::from_secs(1);

/// Why a stream cannot go on now.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Broken {
    /// Nobody reads any more.
    #[error("the server is stopping")]
    Stopping,
    /// The store failed.
    #[error(transparent)]
    Store(Arc<Error>),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// Where an asker waits for what they missed.
type Answer = oneshot::Sender<Result<Option<Window>, Broken>>;

enum Asked {
    Load {
        user: UserId,
        generation: u64,
        done: oneshot::Sender<Result<(), Broken>>,
    },
    Read(Wanted, Answer),
}

/// The way to the reader.
#[derive(Clone)]
pub(super) struct Reading(mpsc::Sender<Asked>);

/// The reader: a task for the caller to run.
pub struct LogReader {
    store: Store,
    hub: Arc<Hub>,
    queue: mpsc::Receiver<Asked>,
    /// Where the log stood when it was last looked at.
    heads: Option<Vec<Position>>,
}

/// Those who wait to be read for.
pub struct Waiting(mpsc::Receiver<Asked>);

impl Reading {
    /// A way to a reader, and its end.
    pub(super) fn new() -> (Self, Waiting) {
        let (sender, queue) = mpsc::channel(ASKERS_MAX);
        (Self(sender), Waiting(queue))
    }

    /// Has what somebody follows loaded.
    pub(super) async fn load(&self, user: UserId, generation: u64) -> Result<(), Broken> {
        let (done, loaded) = oneshot::channel();
        let asked = Asked::Load {
            user,
            generation,
            done,
        };
        self.0.send(asked).await.map_err(|_| Broken::Stopping)?;
        loaded.await.unwrap_or(Err(Broken::Stopping))
    }

    /// What somebody missed from the beginning of a span on, not necessarily to its end; nothing when it is not known
    /// any more what they follow.
    pub(super) async fn read(
        &self,
        user: UserId,
        span: Span,
        width: Position,
    ) -> Result<Option<Window>, Broken> {
        let (answer, read) = oneshot::channel();
        let wanted = Wanted { user, span, width };
        let sent = self.0.send(Asked::Read(wanted, answer)).await;
        sent.map_err(|_| Broken::Stopping)?;
        read.await.unwrap_or(Err(Broken::Stopping))
    }
}

impl LogReader {
    /// A reader for those who wait.
    pub fn new(store: Store, hub: Arc<Hub>, Waiting(queue): Waiting) -> Self {
        Self {
            store,
            hub,
            queue,
            heads: None,
        }
    }

    /// Reads for those who ask now, waiting for somebody if nobody does. For whoever drives the reader step by step.
    pub async fn step(&mut self) {
        let mut asked = Vec::new();
        self.queue.recv_many(&mut asked, ASKERS_MAX).await;
        self.serve(&mut asked).await;
    }

    /// Whether nobody asks.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Reads for whoever asks until `stop`, and looks now and then whether the hub has lost anything.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut asked = Vec::new();
        let mut look = interval(HEADS_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => {
                    self.hub.audience().sweep();
                    self.look_at_heads().await;
                }
                count = self.queue.recv_many(&mut asked, ASKERS_MAX) => {
                    if count == 0 {
                        return;
                    }
                    self.gather(&mut asked).await;
                    self.serve(&mut asked).await;
                }
            }
        }
    }

    /// Lets those go first who are about to ask, for as long as more of them do.
    async fn gather(&mut self, asked: &mut Vec<Asked>) {
        let mut before = 0;
        while before < asked.len() && asked.len() < ASKERS_MAX {
            before = asked.len();
            tokio::task::yield_now().await;
            while asked.len() < ASKERS_MAX
                && let Ok(more) = self.queue.try_recv()
            {
                asked.push(more);
            }
        }
    }

    /// What was in the log a moment ago, the hub has by now, unless it was lost on the way.
    async fn look_at_heads(&mut self) {
        if let Err(error) = self.check_sessions().await {
            self.hub.doubt_sessions();
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "sessions cannot be read"
            );
        }
        let before = self.heads.take();
        if !self.hub.is_listened_to() {
            return;
        }
        if let Some(before) = before {
            self.hub.find_lost(&before);
        }
        let told = self.hub.audience().heads();
        match self.store.heads().await {
            Ok(heads)
                if heads
                    .iter()
                    .zip(told.iter())
                    .any(|(head, told)| head < told) =>
            {
                self.hub.lose(&heads);
            }
            Ok(heads) => self.heads = Some(heads),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the heads of the log cannot be read"
                );
            }
        }
    }

    /// With changes that were lost the end of a session may have been.
    async fn check_sessions(&self) -> Result<(), Error> {
        let sessions = self.hub.sessions_in_doubt();
        if sessions.is_empty() {
            return Ok(());
        }
        let there = self.store.sessions_among(&sessions).await?;
        for session in sessions.into_iter().filter(|id| !there.contains(id)) {
            self.hub.end_session(session);
        }
        Ok(())
    }

    async fn serve(&self, asked: &mut Vec<Asked>) {
        let (mut loads, mut reads) = (Vec::new(), Vec::new());
        for asked in asked.drain(..) {
            match asked {
                Asked::Load {
                    user,
                    generation,
                    done,
                } => loads.push((user, generation, done)),
                Asked::Read(wanted, answer) => reads.push((wanted, answer)),
            }
        }
        if !loads.is_empty() {
            let people = loads
                .iter()
                .map(|(user, generation, _)| (*user, *generation));
            let loaded = self.load(people.collect()).await.map_err(Broken::from);
            for (_, _, done) in loads {
                // Who went away meanwhile needs no answer.
                drop(done.send(loaded.clone()));
            }
        }
        self.read_all(reads).await;
    }

    async fn load(&self, people: HashMap<UserId, u64>) -> Result<(), Error> {
        let ids: Vec<_> = people.keys().copied().collect();
        let mut followed: HashMap<_, Vec<_>> = HashMap::new();
        // One that is deleted behind here the hub is still to hear of, and to tell them.
        let head = self.hub.audience().heads().iter().copied().min();
        let found = self.store.find_followed(&ids, head.unwrap_or(0)).await?;
        for there in found {
            followed.entry(there.user).or_default().push(there);
        }
        self.hub.faults.reach(Point::BetweenReads).await?;
        let mut friends: HashMap<_, Vec<_>> = HashMap::new();
        for (user, friend) in self.store.friends_of(&ids).await? {
            friends.entry(user).or_default().push(friend);
        }
        for (user, generation) in people {
            let followed = followed.remove(&user).unwrap_or_default();
            let friends = friends.remove(&user).unwrap_or_default();
            self.hub
                .audience()
                .install(user, generation, &followed, &friends);
        }
        Ok(())
    }

    /// Those who begin near each other are served together; who was away for longer does not hold up the others for
    /// more than a read.
    async fn read_all(&self, mut asked: Vec<(Wanted, Answer)>) {
        asked.sort_by_key(|(wanted, _)| (wanted.span.shard, wanted.span.after));
        while let Some((first, _)) = asked.first() {
            let shard = first.span.shard;
            let end = first.span.after.saturating_add(first.width.max(1));
            let near =
                |(other, _): &(Wanted, Answer)| other.span.shard == shard && other.span.after < end;
            let near = asked.partition_point(near);
            let (group, answers): (Vec<_>, Vec<_>) = asked.drain(..near).unzip();
            let read = JointRead::new(&self.store, &self.hub, &group, end);
            match read.windows().await.map_err(Broken::from) {
                Ok(windows) => {
                    for (answer, window) in answers.into_iter().zip(windows) {
                        // Who went away meanwhile needs no answer.
                        drop(answer.send(Ok(window)));
                    }
                }
                Err(broken) => {
                    for answer in answers {
                        drop(answer.send(Err(broken.clone())));
                    }
                }
            }
        }
    }
}
