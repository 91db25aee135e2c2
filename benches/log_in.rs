//! Whether the time of an answer tells who has an account: log-ins with a wrong password, in turn with a handle that
//! somebody has and with one that nobody has. `LOG_INS` says how many in all (4,000).

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark owns its tasks, and is told by its environment how many to run"
)]

use std::{
    error::Error,
    time::{Duration, Instant},
};

use parlor::{
    model::Limits,
    server::{Server, Settings},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

async fn ask(
    http: &reqwest::Client,
    url: &str,
    query: &str,
    input: serde_json::Value,
) -> Outcome<(String, Duration)> {
    let body = json!({"query": query, "variables": {"i": input}});
    let begun = Instant::now();
    let answer = http.post(url).json(&body).send().await?.text().await?;
    Ok((answer, begun.elapsed()))
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .copied()
        .unwrap_or_default()
        .as_secs_f64()
        * 1_000.0
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let count: usize = std::env::var("LOG_INS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(4_000);
    let directory = tempfile::tempdir()?;
    let database = format!(
        "sqlite://{}?mode=rwc",
        directory.path().join("chat.db").display()
    );
    let limits = Limits {
        rate_limits: false,
        ..Limits::default()
    };
    let server = Server::start(Settings::new(([127, 0, 0, 1], 0).into(), database, limits)).await?;
    let url = format!("http://{}/graphql", server.address());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server.run_until(stop.clone().cancelled_owned()));

    let http = reqwest::Client::new();
    let sign_up = "mutation($i:SignUpInput!){signUp(input:$i){userErrors{code}}}";
    let log_in = "mutation($i:LogInInput!){logIn(input:$i){token{value} userErrors{code inputPath message}}}";
    let password = "correct horse battery";
    for n in 0..20 {
        let input = json!({"handle": format!("somebody_{n}"), "displayName": "Somebody", "password": password});
        ask(&http, &url, sign_up, input).await?;
    }
    let (mut known, mut unknown, mut first) = (Vec::new(), Vec::new(), None);
    for n in 0..count {
        let is_known = n % 2 == 0;
        let who = if is_known { "somebody" } else { "nobodyee" };
        let input =
            json!({"handle": format!("{who}_{}", n / 2 % 20), "password": "another horse battery"});
        let (answer, time) = ask(&http, &url, log_in, input).await?;
        if first.get_or_insert_with(|| answer.clone()) != &answer {
            return Err(format!("another answer: {answer}").into());
        }
        if is_known { &mut known } else { &mut unknown }.push(time);
    }
    let (known, unknown) = (median(&mut known), median(&mut unknown));
    println!(
        "{count} log-ins: known handles {known:.3} ms, unknown {unknown:.3} ms (medians), {:+.2} %",
        (unknown / known - 1.0) * 100.0
    );
    println!("all answers are {}", first.unwrap_or_default());
    stop.cancel();
    serving.await??;
    Ok(())
}
