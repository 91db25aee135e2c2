//! A server was started anew, and all who were there come back at once, each to what they missed: how long until the last
//! has everything. The floor keeps nothing to come back to.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    Outcome,
    client::{Client, Listening, marks, now},
    http::Http,
    process::Side,
    site::{Site, ask},
    size::{SOCKETS_PER_PERSON, Sizes},
    table::{Meter, Results, Unit, quantile},
};

const ROOMS: usize = 20;

/// Somebody comes back, and hears everything that they missed.
async fn come_back(mut client: Client, after: String, missed: u32) -> Outcome<u64> {
    client.subscribe(Listening::Events(Some(&after))).await?;
    let mut heard = 0;
    loop {
        let frame = client.frame().await?;
        for mark in marks(&frame) {
            if mark.number != heard {
                return Err(format!("heard message {} instead of {heard}", mark.number).into());
            }
            heard += 1;
        }
        if frame.contains(r#""isCaughtUp":true"#) {
            return if heard == missed {
                Ok(now())
            } else {
                Err(format!("up to date after {heard} of {missed} messages").into())
            };
        }
    }
}

async fn once(site: &Site, after: &str, sizes: &Sizes, results: &mut Results) -> Outcome<()> {
    site.process.is_quiet().await?;
    let (meter, began) = (Meter::start(&site.process)?, now());
    let returning = (0..sizes.storm).map(|n| async move {
        let person = n / SOCKETS_PER_PERSON;
        let listening = Listening::Events(Some(after));
        Client::connect(site, person, person % ROOMS, listening).await
    });
    // As many as the server will have at a time; the others stand in its queue.
    let mut clients = stream::iter(returning).buffer_unordered(sizes.storm);
    let mut storm = JoinSet::new();
    while let Some(client) = clients.try_next().await? {
        storm.spawn(come_back(client, after.to_owned(), sizes.missed));
    }
    let mut times = Vec::new();
    while let Some(at) = storm.join_next().await {
        times.push((at?? - began) as f64 / 1e6);
    }
    let cpu = meter.each(&site.process, sizes.storm)?;
    let scenario = format!(
        "resume, {} come back to {} messages each",
        sizes.storm, sizes.missed
    );
    let mut add = |figure, unit, value| results.add(site.side, &scenario, figure, unit, value);
    add(
        "up to date, median",
        Unit::Milliseconds,
        quantile(&mut times, 0.5),
    );
    add(
        "the last is up to date",
        Unit::Milliseconds,
        quantile(&mut times, 1.0),
    );
    add("CPU per client", Unit::Microseconds, cpu);
    Ok(())
}

pub(crate) async fn run(sizes: &Sizes, results: &mut Results) -> Outcome<()> {
    let people = sizes.storm.div_ceil(SOCKETS_PER_PERSON).max(ROOMS);
    let rooms: Vec<Vec<usize>> = (0..ROOMS)
        .map(|room| (room..people).step_by(ROOMS).collect())
        .collect();
    let mut site = Site::start(Side::Parlor, people, &rooms).await?;
    // A cursor says nothing of who holds it, so one will do for all.
    let mut http = Http::connect(site.process.address).await?;
    let token = Some(site.people[0].as_str());
    let viewer = ask(&mut http, token, "{viewer{eventCursor}}", json!({})).await?;
    let after = viewer["viewer"]["eventCursor"]
        .as_str()
        .ok_or("no cursor")?
        .to_owned();
    for room in 0..ROOMS {
        let mut sender = Client::open(&site, room, room, Listening::Nothing).await?;
        for _ in 0..sizes.missed {
            sender.send().await?;
            sender.is_kept().await?;
        }
    }
    for _ in 0..sizes.repetitions {
        site = site.restart()?;
        once(&site, &after, sizes, results).await?;
    }
    Ok(())
}
