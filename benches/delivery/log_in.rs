//! Log-ins with the right password, as many at one time as there are passwords hashed. The floor knows nobody.

use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    Outcome,
    client::now,
    http::Http,
    process::Side,
    site::{PASSWORD, Site, ask},
    size::Sizes,
    table::{Meter, Results, Unit, quantile},
};

const NAME: &str = "log-in, 4 at once";
const LOG_IN: &str = "mutation($i:LogInInput!){logIn(input:$i){token{value} userErrors{message}}}";
const AT_ONCE: usize = 4;

async fn once(site: &Site, log_ins: usize, results: &mut Results) -> Outcome<()> {
    let mut people = JoinSet::new();
    let (meter, began) = (Meter::start(&site.process)?, now());
    for person in 0..AT_ONCE {
        let mut http = Http::connect(site.process.address).await?;
        let input = json!({"handle": format!("person_{person}"), "password": PASSWORD});
        people.spawn(async move {
            let mut times = Vec::new();
            for _ in 0..log_ins / AT_ONCE {
                let began = now();
                ask(&mut http, None, LOG_IN, json!({"i": input})).await?;
                times.push((now() - began) as f64 / 1e6);
            }
            Outcome::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(of_one) = people.join_next().await {
        times.extend(of_one??);
    }
    let seconds = (now() - began) as f64 / 1e9;
    let cpu = meter.each(&site.process, times.len())? / 1e3;
    let mut add = |figure, unit, value| results.add(site.side, NAME, figure, unit, value);
    add("log-ins", Unit::PerSecond, times.len() as f64 / seconds);
    add(
        "a log-in, median",
        Unit::Milliseconds,
        quantile(&mut times, 0.5),
    );
    add("CPU per log-in", Unit::Milliseconds, cpu);
    Ok(())
}

pub(crate) async fn run(sizes: &Sizes, results: &mut Results) -> Outcome<()> {
    let site = Site::start(Side::Parlor, AT_ONCE, &[]).await?;
    for _ in 0..sizes.repetitions {
        once(&site, sizes.log_ins, results).await?;
    }
    Ok(())
}
