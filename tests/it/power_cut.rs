//! Power cuts. Every write, truncation and sync of the database's files is recorded while people talk. An image is what
//! a disk could hold if the power went at some moment: all that was synced by then, and of what was not any part: whole,
//! none of it, or some of its sectors. From each image the database must open, be whole, and have everything that was
//! acknowledged before that moment. `IMAGES` says how many.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use parlor::{model::Random, store};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::support::{Client, client::sign_up, db_number, ledger::setting, program::Program};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// One thing that was done to a file.
#[derive(Debug, Clone)]
enum Done {
    Wrote { offset: usize, bytes: Vec<u8> },
    Synced,
    Cut { length: usize },
}

/// A file as it is on the disk, and what was done to it since it was synced.
#[derive(Default, Clone)]
struct File {
    synced: Vec<u8>,
    since: Vec<Done>,
}

impl File {
    fn apply(content: &mut Vec<u8>, done: &Done) {
        match done {
            Done::Wrote { offset, bytes } => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(bytes);
            }
            Done::Cut { length } => content.resize(*length, 0),
            Done::Synced => {}
        }
    }

    fn take(&mut self, done: Done) {
        if matches!(done, Done::Synced) {
            for done in self.since.drain(..) {
                Self::apply(&mut self.synced, &done);
            }
        } else {
            self.since.push(done);
        }
    }

    /// What the disk could hold if the power went now.
    fn image(&self, random: &mut StdRng) -> Vec<u8> {
        let mut content = self.synced.clone();
        for done in &self.since {
            match (done, random.random_range(0..3)) {
                (_, 0) => {}
                (Done::Wrote { offset, bytes }, 1) => {
                    // A write may begin in the middle of a sector.
                    let (mut offset, mut rest) = (*offset, bytes.as_slice());
                    while !rest.is_empty() {
                        let length = (SECTOR - offset % SECTOR).min(rest.len());
                        let (sector, more) = rest.split_at(length);
                        if random.random_bool(0.5) {
                            let bytes = sector.to_vec();
                            Self::apply(&mut content, &Done::Wrote { offset, bytes });
                        }
                        (offset, rest) = (offset + length, more);
                    }
                }
                (done, _) => Self::apply(&mut content, done),
            }
        }
        content
    }
}

/// The files after everything.
fn replay(record: &[(usize, usize, Done)]) -> [Vec<u8>; 2] {
    let mut files = [Vec::new(), Vec::new()];
    for (_, file, done) in record {
        File::apply(&mut files[*file], done);
    }
    files
}

/// Reads the record: what was done to which file, and where each ends.
fn read_record(bytes: &[u8]) -> Vec<(usize, usize, Done)> {
    let mut all = Vec::new();
    let mut at = 0;
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    while at + 18 <= bytes.len() {
        let (what, file) = (bytes[at], usize::from(bytes[at + 1]));
        let offset = usize::try_from(number(at + 2)).expect("an offset");
        let length = usize::try_from(number(at + 10)).expect("a length");
        at += 18;
        let done = match what {
            1 if at + length <= bytes.len() => {
                let bytes = bytes[at..at + length].to_vec();
                at += length;
                Done::Wrote { offset, bytes }
            }
            1 => break,
            2 => Done::Synced,
            3 => Done::Cut { length },
            _ => panic!("a broken record"),
        };
        all.push((at, file, done));
    }
    all
}

fn recorder(directory: &Path) -> PathBuf {
    let library = directory.join("record.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/record.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .args([source, "-ldl", "-lpthread"])
        .status()
        .expect("cc runs");
    assert!(built.success(), "cc builds the recorder");
    library
}

/// A message that was acknowledged when the record had this many bytes.
type Acknowledged = (usize, i64, String);

/// Says something again and again, and notes how long the record was when it was acknowledged.
async fn talk(who: Client, group: String, record: PathBuf, all: Arc<Mutex<Vec<Acknowledged>>>) {
    for n in 0..150 {
        // So long that the log is folded into the database meanwhile.
        let text = format!("{n} of {}{}", who.id, ".".repeat(2_000));
        let seq = who.say(&group, &text).await;
        let length = std::fs::metadata(&record).expect("a record").len();
        let length = usize::try_from(length).expect("a length");
        all.lock().expect("a lock").push((length, seq, text));
    }
}

/// Opens an image as the server does, and looks for what was acknowledged. What is wrong with it, if anything.
async fn check(
    directory: &Path,
    files: &[Vec<u8>; 2],
    acknowledged: &[Acknowledged],
    group: &str,
) -> Result<(), String> {
    let path = directory.join("chat.db");
    std::fs::write(&path, &files[0]).expect("written");
    std::fs::write(directory.join("chat.db-wal"), &files[1]).expect("written");
    drop(std::fs::remove_file(directory.join("chat.db-shm")));
    let url = format!("sqlite://{}", path.display());
    let opened = store::open(&url, &Random::seeded(1)).await;
    let opened = opened.map_err(|error| error.to_string())?;
    let run = store::Run {
        conversation: group.parse().expect("an id"),
        after: 0,
    };
    let stored = opened.store.messages_since(&[run], i64::MAX, 100_000).await;
    opened.store.close().await;
    opened.writer.close().await;
    let stored = stored.map_err(|error| error.to_string())?.pop();
    let stored = stored.unwrap_or_default();
    for (n, message) in stored.iter().enumerate() {
        if usize::try_from(message.seq) != Ok(n + 1) {
            return Err(format!("message {} is at place {}", message.seq, n + 1));
        }
    }
    for (_, seq, text) in acknowledged {
        let at = usize::try_from(*seq).expect("a number") - 1;
        if stored.get(at).map(|message| &message.text) != Some(text) {
            return Err(format!("{seq} {text:?} was acknowledged and is lost"));
        }
    }
    let whole = "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'";
    match db_number(&path, whole).await {
        1 => Ok(()),
        _ => Err("the database is not whole".to_owned()),
    }
}

/// What was done to the files while people talked, and what they were told.
struct Recording {
    record: Vec<(usize, usize, Done)>,
    /// The first of it that was done after the conversation was there.
    first: usize,
    acknowledged: Vec<Acknowledged>,
    group: String,
}

impl Recording {
    async fn make() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let record = directory.path().join("record");
        let library = recorder(directory.path());
        let environment = [
            ("LD_PRELOAD", library.as_os_str()),
            ("PARLOR_RECORD", record.as_os_str()),
        ];
        let program = Program::serve_with(&directory.path().join("chat.db"), &environment);
        let alice = sign_up(&program.url, "alice").await;
        let bob = sign_up(&program.url, "bob").await;
        let group = alice.group("Walks", &[&bob]).await;
        let began = std::fs::metadata(&record).expect("a record").len();
        let began = usize::try_from(began).expect("a length");
        let acknowledged = Arc::default();
        let talking = [alice.clone(), bob.clone(), alice, bob].map(|who| {
            let all = Arc::clone(&acknowledged);
            talk(who, group.clone(), record.clone(), all)
        });
        futures_util::future::join_all(talking).await;
        program.kill();

        let record = read_record(&std::fs::read(&record).expect("a record"));
        let whole = replay(&record);
        for (n, name) in ["chat.db", "chat.db-wal"].into_iter().enumerate() {
            let real = std::fs::read(directory.path().join(name)).expect("a file");
            assert!(whole[n] == real, "the record of {name} has everything");
        }
        let first = record.iter().position(|(end, ..)| *end >= began);
        let mut acknowledged: Vec<_> = acknowledged.lock().expect("a lock").clone();
        acknowledged.sort();
        Self {
            first: first.expect("records"),
            record,
            acknowledged,
            group,
        }
    }

    /// Some moments, in order: any, and every fourth while the log is folded into the database, if that happened.
    fn moments(&self, count: usize, random: &mut StdRng) -> Vec<usize> {
        let mut unsynced = false;
        let in_checkpoint = |(n, (_, file, done)): (usize, &(usize, usize, Done))| {
            if *file == 0 {
                unsynced = !matches!(done, Done::Synced);
            }
            (unsynced && n >= self.first).then_some(n)
        };
        let folding: Vec<_> = self
            .record
            .iter()
            .enumerate()
            .filter_map(in_checkpoint)
            .collect();
        let moment = |n: usize| match folding.choose(random) {
            Some(moment) if n.is_multiple_of(4) => *moment,
            _ => random.random_range(self.first..self.record.len()),
        };
        let mut moments: Vec<_> = (0..count).map(moment).collect();
        moments.sort_unstable();
        moments
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_power_cut_at_any_moment() {
    let recording = Recording::make().await;
    let (record, acknowledged) = (&recording.record, &recording.acknowledged);
    let mut random = StdRng::seed_from_u64(setting("IMAGES_SEED", 5));
    let images = usize::try_from(setting("IMAGES", 40)).expect("a number");
    let scratch = tempfile::tempdir().expect("a directory");
    let mut files = [File::default(), File::default()];
    let (mut next, mut unsynced, mut folding) = (0, 0, 0);
    for moment in recording.moments(images, &mut random) {
        while next <= moment {
            let (_, file, done) = record[next].clone();
            files[file].take(done);
            next += 1;
        }
        let (end, ..) = record[moment];
        let known = acknowledged.partition_point(|(length, ..)| *length <= end);
        folding += usize::from(!files[0].since.is_empty());
        unsynced += usize::from(files.iter().any(|file| !file.since.is_empty()));
        let image = [files[0].image(&mut random), files[1].image(&mut random)];
        let known = &acknowledged[..known];
        let checked = check(scratch.path(), &image, known, &recording.group).await;
        assert_eq!(checked, Ok(()), "power cut after {moment}");
    }
    // On a disk that says that it has synced and has not, the same check finds what is lost.
    let mut lying = [File::default(), File::default()];
    for (n, (_, file, done)) in record.iter().enumerate() {
        if n < recording.first || !matches!(done, Done::Synced) {
            lying[*file].take(done.clone());
        }
    }
    let image = [lying[0].image(&mut random), lying[1].image(&mut random)];
    let checked = check(scratch.path(), &image, acknowledged, &recording.group).await;
    assert!(checked.is_err(), "nothing was lost on a disk that lies");
    println!(
        "{images} images of {} writes and syncs, {unsynced} with something unsynced, {folding} in a checkpoint; \
         {} acknowledged",
        record.len(),
        acknowledged.len()
    );
    assert_eq!(acknowledged.len(), 600);
    assert!(unsynced * 4 > images && folding > 0, "{unsynced} {folding}");
}
