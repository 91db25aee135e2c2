//! Many who talk at once, four to a conversation, each with one message on its way. At the end everybody must have heard
//! everything once, in the order in which the others heard it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    Outcome,
    client::{Client, Heard, Listening, marks, now},
    process::own_cpu,
    site::Site,
    size::Sizes,
    table::{Meter, Results, Unit, quantile},
};

const NAME: &str = "throughput, 16 × 4";
const ROOMS: usize = 16;
const MEMBERS: usize = 4;

/// Time for what was acknowledged to be heard by all.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the members of a room have in common.
#[derive(Default)]
struct Room {
    /// Messages of those who have stopped sending.
    sent: AtomicU32,
    stopped: AtomicU32,
}

impl Room {
    /// Whether so many messages are all that there are.
    fn is_all(&self, heard: usize) -> bool {
        self.stopped.load(Relaxed) as usize == MEMBERS && self.sent.load(Relaxed) as usize <= heard
    }
}

/// When what happens is counted.
#[derive(Clone, Copy)]
struct Window {
    from: u64,
    to: u64,
}

/// What one member heard.
struct Log {
    room: usize,
    /// Sender and number of each message.
    heard: Vec<(u32, u32)>,
    /// From being sent to being heard here, in microseconds, within the window.
    times: Vec<f64>,
    /// Own messages acknowledged within the window.
    acknowledged: usize,
}

async fn member(mut client: Client, n: usize, room: Arc<Room>, window: Window) -> Outcome<Log> {
    let mut log = Log {
        room: n,
        heard: Vec::new(),
        times: Vec::new(),
        acknowledged: 0,
    };
    client.send().await?;
    let mut has_stopped = false;
    while !has_stopped || !room.is_all(log.heard.len()) {
        // Looks up from time to time, for others may have stopped meanwhile.
        let Ok(heard) = timeout(Duration::from_millis(50), client.hear()).await else {
            if now() > window.to + u64::try_from(PATIENCE.as_nanos())? {
                return Err("somebody did not hear everything".into());
            }
            continue;
        };
        let at = now();
        let counts = (window.from..window.to).contains(&at);
        match heard? {
            Heard::Acknowledged => {
                log.acknowledged += usize::from(counts);
                if at < window.to {
                    client.send().await?;
                } else {
                    room.sent.fetch_add(client.sent(), Relaxed);
                    room.stopped.fetch_add(1, Relaxed);
                    has_stopped = true;
                }
            }
            Heard::Told(frame) => {
                for mark in marks(&frame) {
                    log.heard.push((mark.sender, mark.number));
                    if counts {
                        log.times.push((at - mark.sent) as f64 / 1e3);
                    }
                }
            }
            Heard::Nothing => {}
        }
    }
    Ok(log)
}

/// Whether the members of each room heard the same, and of each sender every message once and in order.
fn check(logs: &[Log]) -> Outcome<()> {
    for room in 0..ROOMS {
        let mut members = logs.iter().filter(|log| log.room == room);
        let first = members.next().ok_or("nobody was there")?;
        if members.any(|log| log.heard != first.heard) {
            return Err(format!("the members of room {room} heard different things").into());
        }
        let mut next: HashMap<u32, u32> = HashMap::new();
        for (sender, number) in &first.heard {
            let next = next.entry(*sender).or_default();
            if *number != *next {
                return Err(format!("of {sender}, {number} came instead of {next}").into());
            }
            *next += 1;
        }
    }
    Ok(())
}

async fn once(site: &Site, sizes: &Sizes, results: &mut Results) -> Outcome<()> {
    let mut clients = Vec::new();
    for person in 0..ROOMS * MEMBERS {
        let room = person / MEMBERS;
        clients.push((
            room,
            Client::open(site, person, room, Listening::Messages).await?,
        ));
    }
    site.process.is_quiet().await?;
    let from = now() + u64::try_from(sizes.warm_up.as_nanos())?;
    let to = from + u64::try_from(sizes.window.as_nanos())?;
    let rooms: Vec<Arc<Room>> = (0..ROOMS).map(|_| Arc::default()).collect();
    let mut members = JoinSet::new();
    for (n, client) in clients {
        members.spawn(member(
            client,
            n,
            Arc::clone(&rooms[n]),
            Window { from, to },
        ));
    }
    sleep(sizes.warm_up).await;
    let (meter, own) = (Meter::start(&site.process)?, own_cpu()?);
    sleep(sizes.window).await;
    // For one thing, and so all of it.
    let (cpu, own) = (
        meter.each(&site.process, 1)?,
        own_cpu()?.saturating_sub(own),
    );
    let mut logs = Vec::new();
    while let Some(log) = members.join_next().await {
        logs.push(log??);
    }
    check(&logs)?;
    let acknowledged = logs.iter().map(|log| log.acknowledged).sum::<usize>() as f64;
    let mut times: Vec<f64> = logs.into_iter().flat_map(|log| log.times).collect();
    let seconds = sizes.window.as_secs_f64();
    let mut add = |figure, unit, value| results.add(site.side, NAME, figure, unit, value);
    add("acknowledged", Unit::PerSecond, acknowledged / seconds);
    add("delivered", Unit::PerSecond, times.len() as f64 / seconds);
    add(
        "delivered, median",
        Unit::Microseconds,
        quantile(&mut times, 0.5),
    );
    add(
        "delivered, p99",
        Unit::Microseconds,
        quantile(&mut times, 0.99),
    );
    add(
        "CPU per send, with 4 deliveries",
        Unit::Microseconds,
        cpu / acknowledged,
    );
    add(
        "CPU of the clients",
        Unit::OfACore,
        own.as_secs_f64() / seconds * 100.0,
    );
    Ok(())
}

pub(crate) async fn run(sizes: &Sizes, results: &mut Results) -> Outcome<()> {
    let rooms: Vec<Vec<usize>> = (0..ROOMS)
        .map(|room| (room * MEMBERS..(room + 1) * MEMBERS).collect())
        .collect();
    let both = Site::both(ROOMS * MEMBERS, &rooms).await?;
    for _ in 0..sizes.repetitions {
        for site in &both {
            once(site, sizes, results).await?;
        }
    }
    Ok(())
}
