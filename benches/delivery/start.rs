//! What a server takes before anybody comes: the time until it is ready, and its memory.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    Outcome,
    process::{Process, SIDES},
    size::Sizes,
    table::{Results, Unit},
};

const NAME: &str = "start, nobody there";

pub(crate) async fn run(sizes: &Sizes, results: &mut Results) -> Outcome<()> {
    for _ in 0..sizes.repetitions {
        for side in SIDES {
            let directory = tempfile::tempdir()?;
            let database = directory.path().join("chat.db");
            let first = Process::start(side, &database)?.ready_after;
            let process = Process::start(side, &database)?;
            let again = process.ready_after;
            sleep(Duration::from_secs(1)).await;
            let mut add = |figure, unit, value| results.add(side, NAME, figure, unit, value);
            let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
            add(
                "ready with a new database",
                Unit::Milliseconds,
                milliseconds(first),
            );
            add("ready", Unit::Milliseconds, milliseconds(again));
            add("memory", Unit::Mib, process.memory()? / 1024.0);
        }
    }
    Ok(())
}
