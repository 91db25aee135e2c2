//! Pages of fifty from a long conversation, the newest and from its middle. To fill it, people send as fast as they can, each
//! with several messages on their way; what that costs is a figure too.

use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    Outcome,
    client::{Client, Listening, marks, now},
    http::Http,
    process::Side,
    site::Site,
    size::Sizes,
    table::{Meter, Results, Unit, quantile},
};

const PAGE: &str = "query($c:ID!$b:Int){conversation(id:$c){messages(last:50,beforeSeq:$b){pageInfo{startCursor} edges{node{id seq text sentAt sender{id displayName}}}}}}";
const MESSAGES_OF_A_PAGE: usize = 50;

/// Who fill the conversation, and with how many messages on their way each.
const SENDERS: u32 = 32;
const ON_THEIR_WAY: u32 = 16;

/// Who ask for pages at one time.
const READERS: usize = 16;

async fn speak(mut client: Client, messages: u32) -> Outcome<()> {
    for n in 0..messages {
        if n >= ON_THEIR_WAY {
            client.is_kept().await?;
        }
        client.send().await?;
    }
    for _ in 0..messages.min(ON_THEIR_WAY) {
        client.is_kept().await?;
    }
    Ok(())
}

/// Sends so many messages more.
async fn fill(site: &Site, messages: u32, results: &mut Results) -> Outcome<()> {
    let mut senders = JoinSet::new();
    let mut clients = Vec::new();
    for person in 0..SENDERS {
        clients.push(Client::open(site, person as usize, 0, Listening::Nothing).await?);
    }
    let (meter, began) = (Meter::start(&site.process)?, now());
    for client in clients {
        senders.spawn(speak(client, messages / SENDERS));
    }
    while let Some(ended) = senders.join_next().await {
        ended??;
    }
    let count = (messages / SENDERS * SENDERS) as usize;
    let seconds = (now() - began) as f64 / 1e9;
    let scenario = "sending, 32 with 16 on their way";
    let mut add = |figure, unit, value| results.add(site.side, scenario, figure, unit, value);
    add("acknowledged", Unit::PerSecond, count as f64 / seconds);
    add(
        "CPU per send",
        Unit::Microseconds,
        meter.each(&site.process, count)?,
    );
    site.process.is_quiet().await
}

/// Somebody who asks for one page again and again.
struct Reader {
    http: Http,
    side: Side,
    token: Option<String>,
    request: String,
}

impl Reader {
    async fn connect(site: &Site, person: usize, before: Option<u32>) -> Outcome<Self> {
        let room = &site.rooms[0];
        let request = match (site.side, before) {
            (Side::Floor, None) => format!("/history?room={room}"),
            (Side::Floor, Some(before)) => format!("/history?room={room}&before={before}"),
            (Side::Parlor, None) => json!({"query": PAGE, "variables": {"c": room}}).to_string(),
            (Side::Parlor, Some(before)) => {
                json!({"query": PAGE, "variables": {"c": room, "b": before}}).to_string()
            }
        };
        Ok(Self {
            http: Http::connect(site.process.address).await?,
            side: site.side,
            token: site.people.get(person).cloned(),
            request,
        })
    }

    async fn page(&mut self) -> Outcome<()> {
        let page = match self.side {
            Side::Floor => self.http.get(&self.request).await?,
            Side::Parlor => self.http.post(self.token.as_deref(), &self.request).await?,
        };
        if marks(page).count() == MESSAGES_OF_A_PAGE {
            Ok(())
        } else {
            Err(format!("no page of {MESSAGES_OF_A_PAGE}: {page}").into())
        }
    }
}

async fn once(
    site: &Site,
    (name, before): (&str, Option<u32>),
    (messages, sizes): (u32, &Sizes),
    results: &mut Results,
) -> Outcome<()> {
    let mut reader = Reader::connect(site, 0, before).await?;
    let mut times = Vec::new();
    for _ in 0..sizes.pages {
        let began = now();
        reader.page().await?;
        times.push((now() - began) as f64 / 1e3);
    }
    let (meter, began) = (Meter::start(&site.process)?, now());
    let end = began + u64::try_from(sizes.pages_window.as_nanos())?;
    let mut readers = JoinSet::new();
    for person in 0..READERS {
        let mut reader = Reader::connect(site, person, before).await?;
        readers.spawn(async move {
            let mut pages = 0;
            while now() < end {
                reader.page().await?;
                pages += 1;
            }
            Outcome::Ok(pages)
        });
    }
    let mut pages = 0;
    while let Some(ended) = readers.join_next().await {
        pages += ended??;
    }
    let seconds = (now() - began) as f64 / 1e9;
    let scenario = format!("history of {messages}, {name}");
    let mut add = |figure, unit, value| results.add(site.side, &scenario, figure, unit, value);
    add(
        "a page of 50, median",
        Unit::Microseconds,
        quantile(&mut times, 0.5),
    );
    add("pages, 16 at once", Unit::PerSecond, pages as f64 / seconds);
    add(
        "CPU per page",
        Unit::Microseconds,
        meter.each(&site.process, pages)?,
    );
    Ok(())
}

pub(crate) async fn run(sizes: &Sizes, results: &mut Results) -> Outcome<()> {
    let people = SENDERS as usize;
    let both = Site::both(people, &[(0..people).collect()]).await?;
    let mut there = 0;
    for messages in sizes.history {
        for site in &both {
            fill(site, messages - there, results).await?;
        }
        there = messages;
        for place in [("newest", None), ("middle", Some(messages / 2))] {
            for _ in 0..sizes.repetitions {
                for site in &both {
                    once(site, place, (messages, sizes), results).await?;
                }
            }
        }
    }
    Ok(())
}
