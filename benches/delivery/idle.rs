//! Many who listen while nothing is said: what a connection holds of memory, and what it takes of CPU. The people are
//! there before the process that is measured begins, so that nothing which was used to make them is counted or reused.

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    Outcome,
    client::{Client, Listening, now},
    fan_out::OPENINGS,
    process::Side,
    site::Site,
    size::{SOCKETS_PER_PERSON, Sizes},
    table::{Meter, Results, Unit},
};

/// Sockets that listen to one conversation.
const PER_ROOM: usize = 20;

async fn once(site: &Site, sizes: &Sizes, results: &mut Results) -> Outcome<()> {
    let count = sizes.idle;
    site.process.is_quiet().await?;
    let (before, began) = (site.process.memory()?, now());
    let opening = (0..count).map(|n| {
        Client::open(
            site,
            n / SOCKETS_PER_PERSON,
            n / PER_ROOM,
            Listening::Messages,
        )
    });
    let clients: Vec<Client> = stream::iter(opening)
        .buffered(OPENINGS)
        .try_collect()
        .await?;
    let opened_in = (now() - began) as f64 / 1e9;
    let mut listeners = JoinSet::new();
    for mut client in clients {
        // Pings are answered while one waits.
        listeners.spawn(async move {
            loop {
                if let Err(error) = client.frame().await {
                    return error;
                }
            }
        });
    }
    // Not until it is quiet: of ten thousand some are always pinged.
    sleep(sizes.idle_watch / 5).await;
    let meter = Meter::start(&site.process)?;
    sleep(sizes.idle_watch).await;
    let cpu = meter.each(&site.process, 1)? / 1e6 / sizes.idle_watch.as_secs_f64();
    let held = site.process.memory()? - before;
    if let Some(ended) = listeners.try_join_next() {
        return Err(ended?);
    }
    let scenario = format!("idle, {count} listen");
    let mut add = |figure, unit, value| results.add(site.side, &scenario, figure, unit, value);
    add("memory per connection", Unit::Kib, held / count as f64);
    add("CPU", Unit::OfACore, cpu * 100.0);
    add(
        "connections opened",
        Unit::PerSecond,
        count as f64 / opened_in,
    );
    Ok(())
}

pub(crate) async fn run(sizes: &Sizes, results: &mut Results) -> Outcome<()> {
    let count = sizes.idle;
    let rooms: Vec<Vec<usize>> = (0..count.div_ceil(PER_ROOM))
        .map(|room| {
            let sockets = room * PER_ROOM..((room + 1) * PER_ROOM).min(count);
            let mut people: Vec<usize> = sockets.map(|n| n / SOCKETS_PER_PERSON).collect();
            people.dedup();
            people
        })
        .collect();
    let people = count.div_ceil(SOCKETS_PER_PERSON);
    for side in [Side::Floor, Side::Parlor] {
        let mut site = Site::start(side, people, &rooms).await?;
        for _ in 0..sizes.repetitions {
            site = site.restart()?;
            once(&site, sizes, results).await?;
        }
    }
    Ok(())
}
