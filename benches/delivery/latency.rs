//! One who sends and one who listens, a message at a time: how soon it is kept, and how soon it is heard.

use futures_util::future::try_join;

use crate::{
    Outcome,
    client::{Client, Heard, Listening, Mark, marks, now},
    site::Site,
    size::Sizes,
    table::{Meter, Results, Unit, quantile},
};

const NAME: &str = "latency, 1 to 1";

/// Messages before those that are counted.
const WARM_UP: u32 = 50;

async fn kept_at(sender: &mut Client) -> Outcome<u64> {
    sender.is_kept().await?;
    Ok(now())
}

/// The next message, and when it was heard.
async fn next(listener: &mut Client) -> Outcome<(Mark, u64)> {
    loop {
        if let Heard::Told(frame) = listener.hear().await?
            && let Some(mark) = marks(&frame).next()
        {
            return Ok((mark, now()));
        }
    }
}

async fn once(site: &Site, messages: u32, results: &mut Results) -> Outcome<()> {
    let mut sender = Client::open(site, 0, 0, Listening::Nothing).await?;
    let mut listener = Client::open(site, 1, 0, Listening::Messages).await?;
    site.process.is_quiet().await?;
    let (mut kept, mut heard) = (Vec::new(), Vec::new());
    let mut meter = Meter::start(&site.process)?;
    for number in 0..WARM_UP + messages {
        if number == WARM_UP {
            meter = Meter::start(&site.process)?;
        }
        sender.send().await?;
        let (kept_at, (mark, heard_at)) =
            try_join(kept_at(&mut sender), next(&mut listener)).await?;
        if mark.number != number {
            return Err(format!("heard message {} instead of {number}", mark.number).into());
        }
        if number >= WARM_UP {
            kept.push((kept_at - mark.sent) as f64 / 1e3);
            heard.push((heard_at - mark.sent) as f64 / 1e3);
        }
    }
    let cpu = meter.each(&site.process, kept.len())?;
    let mut add = |figure, value| results.add(site.side, NAME, figure, Unit::Microseconds, value);
    add("acknowledged, median", quantile(&mut kept, 0.5));
    add("acknowledged, p99", quantile(&mut kept, 0.99));
    add("delivered, median", quantile(&mut heard, 0.5));
    add("delivered, p99", quantile(&mut heard, 0.99));
    add("CPU per send", cpu);
    Ok(())
}

pub(crate) async fn run(sizes: &Sizes, results: &mut Results) -> Outcome<()> {
    let both = Site::both(2, &[vec![0, 1]]).await?;
    for _ in 0..sizes.repetitions {
        for site in &both {
            once(site, sizes.latency_messages, results).await?;
        }
    }
    Ok(())
}
