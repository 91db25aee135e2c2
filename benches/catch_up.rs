//! What coming back costs: somebody with 5,000 conversations of whom ten moved, and somebody who missed a million
//! messages while others talk on. `MISSED` says how many.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark owns its tasks, and is told by its environment how long to run"
)]

use std::{
    error::Error,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use parlor::{
    chat::{Chat, CreateConversation, SignUp, Viewer},
    live::EventFeed,
    model::{ConversationKind, Cursor, Id, Limits},
    server::{Server, Settings},
    store::Store,
};
use sea_orm::{ConnectionTrait, Database};
use tokio_util::sync::CancellationToken;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A server that runs until it is told to stop.
struct Running {
    chat: Arc<Chat>,
    store: Store,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(database: &Path, followed_kept: Duration) -> Outcome<Self> {
        let limits = Limits {
            rate_limits: false,
            followed_kept,
            followed_kept_max: if followed_kept.is_zero() { 0 } else { 10_000 },
            ..Limits::default()
        };
        let url = format!("sqlite://{}?mode=rwc", database.display());
        let settings = Settings::new(([127, 0, 0, 1], 0).into(), url, limits);
        let server = Server::start(settings).await?;
        let (chat, store) = (Arc::clone(server.api().chat()), server.store().clone());
        let stop = CancellationToken::new();
        let told = stop.clone().cancelled_owned();
        let task = tokio::spawn(async move { drop(server.run_until(told).await) });
        Ok(Self {
            chat,
            store,
            stop,
            task,
        })
    }

    async fn stop(self) -> Outcome<()> {
        self.stop.cancel();
        Ok(self.task.await?)
    }

    async fn sign_up(&self, handle: &str) -> Outcome<Viewer> {
        let input = SignUp {
            handle: handle.to_owned(),
            display_name: handle.to_owned(),
            password: "correct horse battery".to_owned(),
            device_name: None,
        };
        Ok(self
            .chat
            .sign_up(input)
            .await
            .map_err(|e| format!("{e:?}"))?
            .viewer)
    }

    async fn channel(&self, owner: Viewer, title: &str) -> Outcome<String> {
        let input = CreateConversation {
            kind: ConversationKind::Channel,
            title: title.to_owned(),
            topic: None,
            member_ids: Vec::new(),
            idempotency_key: None,
        };
        let made = self.chat.create_conversation(owner, input).await;
        Ok(made.map_err(|e| format!("{e:?}"))?.id.to_string())
    }

    async fn say(&self, who: Viewer, place: &str, text: &str) -> Outcome<()> {
        let sent = self.chat.send_message(who, place, text, None).await;
        sent.map_err(|e| format!("{e:?}"))?;
        Ok(())
    }

    fn cursor(&self) -> String {
        self.chat.cursor(&Cursor(self.chat.heads()))
    }

    fn follow(&self, who: Viewer, after: &str) -> EventFeed {
        self.chat
            .follow_events(who, Some(after), &self.chat.heads())
    }
}

/// Hears until everything that was missed is told, as events; how many.
async fn catch_up(chat: &Chat, who: Viewer, feed: &mut EventFeed) -> Outcome<usize> {
    let mut events = 0;
    loop {
        let frame = feed.next().await?.ok_or("the stream ended")?;
        let told = chat.events(who, &frame.items, false).await;
        events += told.map_err(|e| format!("{e:?}"))?.events.len();
        if frame.is_caught_up {
            return Ok(events);
        }
    }
}

/// The middle and the 99th of a hundred.
fn spread(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

/// Somebody comes back a hundred times to ten conversations of many that moved. Whether what they follow is known from
/// before is the server's setting.
async fn ten_of_many(running: &Running, conversations: usize, how: &str) -> Outcome<()> {
    let who = running
        .sign_up(&format!("owner_of_{conversations}"))
        .await?;
    let mut places = Vec::new();
    for n in 0..conversations {
        places.push(running.channel(who, &format!("Place {n}")).await?);
    }
    let after = running.cursor();
    for n in 0..10 {
        let place = &places[n * conversations / 10];
        running.say(who, place, "hello").await?;
    }
    catch_up(&running.chat, who, &mut running.follow(who, &after)).await?;
    let (mut times, mut statements) = (Vec::new(), 0);
    for _ in 0..100 {
        let (before, began) = (running.store.statements(), Instant::now());
        let mut feed = running.follow(who, &after);
        let events = catch_up(&running.chat, who, &mut feed).await?;
        times.push(began.elapsed());
        statements = running.store.statements() - before;
        assert_eq!(events, 10);
    }
    let (median, high) = spread(times);
    println!(
        "ten of {conversations} conversations moved, {how}: {median:?} / {high:?}, {statements} statements"
    );
    Ok(())
}

/// Puts messages into a conversation as the log would have, at once.
async fn fill(database: &Path, place: &str, sender: Viewer, count: i64) -> Outcome<()> {
    let db = Database::connect(format!("sqlite://{}", database.display())).await?;
    let id: parlor::model::ConversationId = place.parse().map_err(|_| "an id")?;
    let hex = |uuid: uuid::Uuid| uuid.simple().to_string();
    let (id, sender) = (hex(id.uuid()), hex(sender.user.uuid()));
    db.execute_unprepared(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO messages (conversation_id, seq, sender_id, text, sent_at, position)
         SELECT x'{id}', i, x'{sender}', 'a text of about a hundred characters, as people send them when they talk about this and that ' || i,
         1800000000000, (SELECT head FROM shards) + i FROM n"
    ))
    .await?;
    db.execute_unprepared(
        "INSERT INTO message_marks SELECT conversation_id, position, seq FROM messages WHERE seq % 64 = 0",
    )
    .await?;
    db.execute_unprepared(&format!(
        "UPDATE conversations SET last_seq = {count}, keyed_seq = {count}, head_position = (SELECT head FROM shards) + {count} WHERE id = x'{id}'"
    ))
    .await?;
    db.execute_unprepared(&format!("UPDATE shards SET head = head + {count}"))
        .await?;
    Ok(db.close().await?)
}

/// The memory that this process has now, in MiB.
fn memory() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .ok_or("no VmRSS")?;
    Ok(kib.parse::<u64>()? / 1024)
}

async fn a_million(database: &Path, missed: i64) -> Outcome<()> {
    let running = Running::start(database, Duration::from_mins(2)).await?;
    let who = running.sign_up("away").await?;
    let (talker, listener) = (
        running.sign_up("talker").await?,
        running.sign_up("listener").await?,
    );
    let long = running.channel(who, "Long").await?;
    let live = running.channel(talker, "Live").await?;
    running
        .chat
        .join_channel(listener, &live)
        .await
        .map_err(|e| format!("{e:?}"))?;
    let after = running.cursor();
    running.stop().await?;
    fill(database, &long, who, missed).await?;

    let running = Running::start(database, Duration::from_mins(2)).await?;
    let quiet = talk(&running, talker, listener, &live, 2_000).await?;
    let before = memory()?;
    let chat = Arc::clone(&running.chat);
    let mut feed = running.follow(who, &after);
    let began = Instant::now();
    let catching_up = tokio::spawn(async move {
        let (mut events, mut most) = (0, 0);
        loop {
            let frame = feed.next().await?.ok_or("the stream ended")?;
            events += chat
                .events(who, &frame.items, false)
                .await
                .map_err(|e| format!("{e:?}"))?
                .events
                .len();
            most = most.max(memory()?);
            if frame.is_caught_up {
                return Outcome::Ok((events, most, began.elapsed()));
            }
        }
    });
    let mut beside = Vec::new();
    while !catching_up.is_finished() {
        beside.extend(talk(&running, talker, listener, &live, 100).await?);
    }
    let (events, most, took) = catching_up.await??;
    let ((q, q99), (b, b99)) = (spread(quiet), spread(beside));
    println!(
        "{events} events missed: {took:?}, memory {before} MiB before and {most} at most; \
         send to deliver beside it {b:?} / {b99:?}, quiet {q:?} / {q99:?}"
    );
    running.stop().await
}

/// How long each of some messages takes from being sent to being heard.
async fn talk(
    running: &Running,
    talker: Viewer,
    listener: Viewer,
    place: &str,
    count: usize,
) -> Outcome<Vec<Duration>> {
    let mut feed = running.follow(listener, &running.cursor());
    feed.next().await?;
    let mut times = Vec::new();
    for _ in 0..count {
        let began = Instant::now();
        running.say(talker, place, "hello").await?;
        feed.next().await?;
        times.push(began.elapsed());
    }
    Ok(times)
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    for (name, kept, how) in [
        ("kept.db", Duration::from_mins(2), "back within two minutes"),
        ("anew.db", Duration::ZERO, "what they follow read anew"),
    ] {
        let running = Running::start(&directory.path().join(name), kept).await?;
        for conversations in [10, 500, 5_000] {
            ten_of_many(&running, conversations, how).await?;
        }
        running.stop().await?;
    }
    let missed = std::env::var("MISSED")
        .ok()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    a_million(&directory.path().join("million.db"), missed).await
}
