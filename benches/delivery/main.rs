//! What Parlor costs beside its floor: the same conversations, with the same clients, at a server that does nothing but
//! keep a text durably and hand its bytes on. Both are processes of their own, measured in turn in one run.
//!
//! Words behind `--`: `short` for small numbers, and names of scenarios for these alone. `PARLOR_PROGRAM` names the
//! release build to measure; the program that cargo builds beside a benchmark has faults to plant, and so is not the
//! one that people run.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark owns its tasks, and is told by its environment what to measure"
)]
#![expect(
    clippy::cast_precision_loss,
    reason = "figures of a few digits; none comes near 2^52"
)]

mod client;
mod fan_out;
mod floor;
mod history;
mod http;
mod idle;
mod latency;
mod log_in;
mod process;
mod resume;
mod site;
mod size;
mod start;
mod table;
mod throughput;

use std::{error::Error, path::Path};

use size::Sizes;
use table::Results;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The allocator of Parlor, for the floor too: it is not to lose by another one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SCENARIOS: [&str; 8] = [
    "start",
    "latency",
    "throughput",
    "fan-out",
    "idle",
    "history",
    "resume",
    "log-in",
];

async fn run(words: &[String]) -> Outcome<()> {
    let is_short = words.iter().any(|word| word == "short");
    let sizes = if is_short {
        Sizes::short()
    } else {
        Sizes::full()
    };
    let only: Vec<_> = words.iter().filter(|word| *word != "short").collect();
    if let Some(word) = only.iter().find(|word| !SCENARIOS.contains(&word.as_str())) {
        return Err(format!("{word} is none of {}", SCENARIOS.join(", ")).into());
    }
    let mut results = Results::default();
    for scenario in SCENARIOS {
        if !only.is_empty() && !only.iter().any(|word| *word == scenario) {
            continue;
        }
        println!("{scenario} …");
        match scenario {
            "start" => start::run(&sizes, &mut results).await?,
            "latency" => latency::run(&sizes, &mut results).await?,
            "throughput" => throughput::run(&sizes, &mut results).await?,
            "fan-out" => fan_out::run(&sizes, &mut results).await?,
            "idle" => idle::run(&sizes, &mut results).await?,
            "history" => history::run(&sizes, &mut results).await?,
            "resume" => resume::run(&sizes, &mut results).await?,
            _ => log_in::run(&sizes, &mut results).await?,
        }
    }
    println!("\n{}", results.table());
    // Cargo gives the folder for a benchmark's files; what is for people lies one above.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench.json");
    std::fs::write(&path, results.json(is_short))?;
    println!("written as JSON to {}", path.display());
    Ok(())
}

fn main() -> Outcome<()> {
    // Cargo adds a flag of its own.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    if let [mode, database] = words.as_slice()
        && mode == "floor"
    {
        return floor::serve(Path::new(database));
    }
    rlimit::increase_nofile_limit(u64::MAX)?;
    // The clients have one thread, so that on a small machine the server has the other cores.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(&words))
}
