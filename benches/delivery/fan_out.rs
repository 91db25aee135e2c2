//! One who sends to a thousand, a message at a time: how long until the last has heard it, and what each of them costs. They
//! listen in one of three ways: to messages whose bytes are the same for all, to such as differ for each listener, and to
//! everything that happens to them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt, future::try_join, stream};
use tokio::{sync::Notify, task::JoinSet, time::timeout};

use crate::{
    Outcome,
    client::{Client, Heard, Listening, marks, now},
    site::Site,
    size::{SOCKETS_PER_PERSON, Sizes},
    table::{Meter, Results, Unit, quantile},
};

const WAYS: [(&str, Listening<'_>); 3] = [
    ("messageSent", Listening::Messages),
    ("messageSent, other bytes for each", Listening::Unread),
    ("events", Listening::Events(None)),
];

/// Sockets that are opened at one time.
pub(crate) const OPENINGS: usize = 32;

/// Who has heard the message that is on its way.
#[derive(Default)]
struct Tally {
    heard: AtomicUsize,
    all: Notify,
}

/// Hears every message once and in order, or says what is wrong.
async fn listen(mut client: Client, tally: Arc<Tally>, listeners: usize) -> Outcome<()> {
    let mut next = 0;
    loop {
        let Heard::Told(frame) = client.hear().await? else {
            continue;
        };
        for mark in marks(&frame) {
            if mark.number != next {
                return Err(format!("heard message {} instead of {next}", mark.number).into());
            }
            next += 1;
            if tally.heard.fetch_add(1, Relaxed) + 1 == listeners {
                tally.all.notify_one();
            }
        }
    }
}

async fn once(
    site: &Site,
    (name, listening): (&str, Listening<'_>),
    sizes: &Sizes,
    results: &mut Results,
) -> Outcome<()> {
    let count = sizes.listeners;
    // The first one speaks.
    let opening = (0..count).map(|n| Client::open(site, 1 + n / SOCKETS_PER_PERSON, 0, listening));
    let clients: Vec<Client> = stream::iter(opening)
        .buffered(OPENINGS)
        .try_collect()
        .await?;
    let tally: Arc<Tally> = Arc::default();
    let mut listeners = JoinSet::new();
    for client in clients {
        listeners.spawn(listen(client, Arc::clone(&tally), count));
    }
    let mut sender = Client::open(site, 0, 0, Listening::Nothing).await?;
    site.process.is_quiet().await?;
    let mut times = Vec::new();
    let meter = Meter::start(&site.process)?;
    for _ in 0..sizes.fan_out_messages {
        tally.heard.store(0, Relaxed);
        let began = now();
        sender.send().await?;
        let all = async {
            let patience = Duration::from_secs(15);
            if timeout(patience, tally.all.notified()).await.is_err() {
                return Err("somebody did not hear a message".into());
            }
            Ok(now() - began)
        };
        let ((), took) = try_join(sender.is_kept(), all).await?;
        times.push(took as f64 / 1e6);
        if let Some(ended) = listeners.try_join_next() {
            ended??;
        }
    }
    let cpu = meter.each(&site.process, times.len() * count)?;
    let scenario = format!("fan-out to {count}, {name}");
    let mut add = |figure, unit, value| results.add(site.side, &scenario, figure, unit, value);
    add(
        "the last has it, median",
        Unit::Milliseconds,
        quantile(&mut times, 0.5),
    );
    add(
        "the last has it, p99",
        Unit::Milliseconds,
        quantile(&mut times, 0.99),
    );
    add("CPU per delivery", Unit::Microseconds, cpu);
    Ok(())
}

pub(crate) async fn run(sizes: &Sizes, results: &mut Results) -> Outcome<()> {
    let people = 1 + sizes.listeners.div_ceil(SOCKETS_PER_PERSON);
    let both = Site::both(people, &[(0..people).collect()]).await?;
    for way in WAYS {
        for _ in 0..sizes.repetitions {
            for site in &both {
                once(site, way, sizes, results).await?;
            }
        }
    }
    Ok(())
}
