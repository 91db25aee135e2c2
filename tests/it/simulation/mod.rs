//! The order of things, driven by a seed. One thread does one step after another: a person says something, the writer
//! goes on to its next failpoint, news are on the way, come late, twice or never, a device hears a frame, loses its
//! connection, goes back to an old place, the process is killed. When all has come to rest, every device must know what
//! the server knows, and what is stored must be what was promised. The same seed is the same run.

mod device;
mod gate;
mod house;
mod people;
mod rules;
mod world;

use parlor::fault::Fault;
use tokio::runtime::Runtime;

use crate::support::ledger::setting;
use house::Bends;
use people::cast;
use world::{Totals, World};

/// One thread; nothing runs but what is asked for.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// One run; what went wrong in it, if anything.
fn run(seed: u64, fault: Option<Fault>) -> Result<Totals, String> {
    let bends = Bends {
        seed,
        fault,
        stops: 0.3,
    };
    let mut world = World::begin(bends);
    let result = world.live();
    world.devices.clear();
    world.letters.clear();
    world.doings.clear();
    if let Some(house) = world.house.take() {
        house.crash(&world.runtime);
    }
    result.map(|()| Totals {
        acknowledged: world.acknowledged.len(),
        ..world.totals
    })
}

/// Runs seeds on every core; the first that fails.
fn run_seeds(seeds: std::ops::Range<u64>, fault: Option<Fault>) -> (Totals, Option<(u64, String)>) {
    let cores = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let found = std::sync::Mutex::new(None);
    let all = std::sync::Mutex::new(Totals::default());
    cast();
    std::thread::scope(|scope| {
        for core in 0..cores {
            let (seeds, found, all) = (seeds.clone(), &found, &all);
            scope.spawn(move || {
                for seed in seeds.filter(|seed| seed % cores == core) {
                    if found.lock().expect("a lock").is_some() {
                        return;
                    }
                    match run(seed, fault) {
                        Ok(totals) => {
                            let mut all = all.lock().expect("a lock");
                            all.acknowledged += totals.acknowledged;
                            all.retries += totals.retries;
                            all.crashes += totals.crashes;
                            all.frames += totals.frames;
                            all.resumes += totals.resumes;
                            all.dropped += totals.dropped;
                        }
                        Err(wrong) => *found.lock().expect("a lock") = Some((seed, wrong)),
                    }
                }
            });
        }
    });
    let all = *all.lock().expect("a lock");
    (all, found.into_inner().expect("a lock"))
}

#[test]
fn whatever_happens_everybody_knows_what_the_server_knows_in_the_end() {
    let first = setting("SEED", 0);
    let seeds = setting("SEEDS", 2_000);
    let began = std::time::Instant::now();
    let (totals, wrong) = run_seeds(first..first + seeds, None);
    println!("{seeds} seeds in {:?}: {totals:?}", began.elapsed());
    if let Some((seed, wrong)) = wrong {
        panic!("SEED={seed} SEEDS=1 replays it: {wrong}");
    }
    assert!(
        totals.acknowledged as u64 > seeds && totals.frames as u64 > seeds,
        "{totals:?}"
    );
    assert!(
        seeds < 100 || totals.crashes.min(totals.dropped).min(totals.retries) > 0,
        "{totals:?}"
    );
}

#[test]
fn every_planted_bug_is_noticed() {
    for fault in [
        Fault::PublishBeforeCommit,
        Fault::SeqOutsideTheTransaction,
        Fault::LiveBeforeCatchUp,
        Fault::LagThatDrops,
        Fault::RemovalAppliedLate,
        Fault::CursorOffByOne,
        Fault::KeyCheckedOutside,
        Fault::KeysForgottenBeforeTheyAreIndexed,
        Fault::TimeFromTheClockOnly,
        Fault::RetryAnsweredFromAnotherSender,
        Fault::ResumeStopsAtAPage,
        Fault::MembershipsOfAnotherMoment,
        Fault::BulkCheckForABatch,
        Fault::GoneIsAnError,
        Fault::CursorGoesBack,
    ] {
        let (_, wrong) = run_seeds(0..200, Some(fault));
        let (seed, wrong) = wrong.unwrap_or_else(|| panic!("{fault:?} was not noticed"));
        let first = wrong.lines().next().unwrap_or_default();
        println!("{fault:?}: seed {seed}: {first}");
    }
}
