//! The order of things, driven by a seed. One thread does one step after another: a person says something, the writer
//! goes on to its next failpoint, news are on the way, come late, twice or never, a device hears a frame, loses its
//! connection, goes back to an old place, the process is killed. When all has come to rest, every device must know what
//! the server knows, and what is stored must be what was promised. The same seed is the same run.

mod device;
mod gate;
mod house;
mod people;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, atomic::Ordering},
};

use parlor::{
    fault::{Fault, Point, Verdict},
    model::Message,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::runtime::Runtime;

use crate::support::ledger::setting;
use device::{Device, Reader};
use house::{Bends, House, SimClock};
use people::{Doing, Letter, cast, is_conflict, is_open};

/// Steps of a run.
const STEPS: u64 = 300;

/// One thread; nothing runs but what is asked for.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// A message, and the steps at which it was sent first and acknowledged.
struct Acknowledged {
    letter: Letter,
    seq: i32,
    answered: u64,
}

/// What a run did.
#[derive(Debug, Default, Clone, Copy)]
struct Totals {
    acknowledged: usize,
    retries: usize,
    crashes: usize,
    frames: usize,
    resumes: usize,
    dropped: usize,
}

struct World {
    bends: Bends,
    runtime: Runtime,
    random: StdRng,
    directory: tempfile::TempDir,
    clock: Arc<SimClock>,
    house: Option<House>,
    opened: u64,
    devices: Vec<Device>,
    letters: Vec<(Letter, Option<Doing<Arc<Message>>>)>,
    doings: Vec<Doing<()>>,
    acknowledged: Vec<Acknowledged>,
    /// Where the log stood when it was last looked at.
    heads: Option<Vec<i64>>,
    step: u64,
    said: u64,
    keys: [u64; 3],
    totals: Totals,
}

impl World {
    fn begin(bends: Bends) -> Self {
        // What this is about is the order of things, not the disk.
        let memory = std::path::Path::new("/dev/shm");
        let directory = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let directory = directory.expect("a directory");
        cast().copy_to(directory.path());
        let mut world = Self {
            bends,
            runtime: runtime(),
            random: StdRng::seed_from_u64(bends.seed),
            directory,
            clock: Arc::default(),
            house: None,
            opened: 0,
            devices: Vec::new(),
            letters: Vec::new(),
            doings: Vec::new(),
            acknowledged: Vec::new(),
            heads: None,
            step: 0,
            said: 0,
            keys: [0; 3],
            totals: Totals::default(),
        };
        world.open();
        for who in cast().people.iter().chain(&cast().people[..2]) {
            let device = Device::load(*who, &world.reader());
            world.devices.push(device);
        }
        world
    }

    fn open(&mut self) {
        self.opened += 1;
        let bends = Bends {
            seed: self
                .bends
                .seed
                .wrapping_mul(1_000)
                .wrapping_add(self.opened),
            ..self.bends
        };
        self.heads = None;
        let house = House::open(&self.runtime, self.directory.path(), &self.clock, bends);
        self.house = Some(house);
    }

    fn house(&mut self) -> &mut House {
        self.house.as_mut().expect("an open house")
    }

    fn reader(&self) -> Reader<'_> {
        let house = self.house.as_ref().expect("an open house");
        Reader {
            runtime: &self.runtime,
            chat: &house.chat,
            store: &house.store,
        }
    }

    fn crash(&mut self) {
        self.totals.crashes += 1;
        for device in &mut self.devices {
            device.cut();
        }
        for (_, sending) in &mut self.letters {
            *sending = None;
        }
        self.doings.clear();
        if let Some(house) = self.house.take() {
            house.crash(&self.runtime);
        }
        self.open();
    }

    fn live(&mut self) -> Result<(), String> {
        for _ in 0..STEPS {
            self.step()?;
        }
        self.settle()?;
        self.check()
    }

    fn step(&mut self) -> Result<(), String> {
        self.step += 1;
        match self.random.random_range(0..100) {
            0..10 => self.say(),
            10..20 => {
                self.said += 1;
                let chat = Arc::clone(&self.house().chat);
                let doing = people::something(&mut self.random, &chat, self.said);
                self.doings.push(doing);
            }
            20..34 => self.write(),
            34..48 => self.road(),
            48..62 => {
                // Whoever stands in the middle of a read stands there for a while.
                if !self.house().reader_is_stopped() || self.random.random_bool(0.3) {
                    let verdict = self.verdict(0.02);
                    self.read(verdict);
                }
            }
            62..94 => return self.hear(),
            94..96 => self.look_at_heads(),
            96..98 => {
                let turn = self.random.random_range(-500..500);
                self.clock.0.fetch_add(turn, Ordering::Relaxed);
            }
            98 => self.go_back(),
            _ => {
                if self.random.random_bool(0.3) {
                    self.crash();
                }
            }
        }
        self.poll()
    }

    /// Somebody says something new, or says again what was not acknowledged.
    fn say(&mut self) {
        let waiting: Vec<_> = (0..self.letters.len())
            .filter(|n| self.letters[*n].1.is_none())
            .collect();
        let chat = Arc::clone(&self.house().chat);
        if !waiting.is_empty() && self.random.random_bool(0.7) {
            let n = waiting[self.random.random_range(0..waiting.len())];
            self.totals.retries += 1;
            let (letter, sending) = &mut self.letters[n];
            *sending = Some(letter.send(&chat));
            return;
        }
        self.said += 1;
        let sender = self.random.random_range(0..3);
        let places = &cast().conversations;
        let conversation = places[self.random.random_range(0..places.len())].clone();
        // Each counts for themself, so people choose the same keys.
        self.keys[sender] += 1;
        let letter = Letter {
            sender,
            conversation,
            text: format!("{} of {sender}", self.said),
            key: format!("key {}", self.keys[sender]),
            sent: self.step,
        };
        let sending = letter.send(&chat);
        self.letters.push((letter, Some(sending)));
        self.clock.0.fetch_add(1, Ordering::Relaxed);
    }

    fn verdict(&mut self, refusals: f64) -> Verdict {
        if self.random.random_bool(refusals) {
            Verdict::Refuse
        } else {
            Verdict::GoOn
        }
    }

    fn write(&mut self) {
        let at = self.house().writer_is_at();
        let verdict = match at {
            Some(Point::BeforeWrite | Point::BeforeCommit) => self.verdict(0.15),
            Some(Point::AfterCommit) if self.random.random_bool(0.05) => Verdict::Break,
            _ => Verdict::GoOn,
        };
        let Self { house, runtime, .. } = self;
        let house = house.as_mut().expect("an open house");
        if house.write(runtime, verdict).is_err() {
            // The outcome is unknown: whoever waits is told so, and the process ends.
            let answered = self.poll();
            debug_assert!(answered.is_ok());
            self.crash();
        }
    }

    fn read(&mut self, verdict: Verdict) -> bool {
        let Self { house, runtime, .. } = self;
        house
            .as_mut()
            .expect("an open house")
            .read(runtime, verdict)
    }

    /// News come to the hub: the next, a later one first, one twice, or never.
    fn road(&mut self) {
        let chance = self.random.random_range(0..100);
        let house = self.house.as_mut().expect("an open house");
        let Some(commit) = house.on_the_way.pop_front() else {
            return;
        };
        match chance {
            0..3 => {
                self.totals.dropped += 1;
            }
            3..6 => house.on_the_way.push_back(commit),
            6..9 => {
                let again = parlor::bus::Commit {
                    shard: commit.shard,
                    changes: commit.changes.clone(),
                };
                house.hub.take(commit);
                house.on_the_way.push_back(again);
            }
            _ => house.hub.take(commit),
        }
    }

    /// As the reader does each second.
    fn look_at_heads(&mut self) {
        let house = self.house.as_mut().expect("an open house");
        if let Some(heads) = self.heads.take() {
            house.hub.find_lost(&heads);
        }
        self.heads = Some(self.runtime.block_on(house.store.heads()).expect("read"));
    }

    fn hear(&mut self) -> Result<(), String> {
        let n = self.random.random_range(0..self.devices.len());
        let mut device = self.devices.swap_remove(n);
        let result = if device.is_listening() {
            if self.random.random_bool(0.03) {
                device.cut();
            }
            device.hear(&self.reader())
        } else {
            self.totals.resumes += 1;
            device.listen(&self.reader().chat.clone());
            device.hear(&self.reader())
        };
        self.devices.push(device);
        self.totals.frames += usize::from(result?);
        Ok(())
    }

    fn go_back(&mut self) {
        let n = self.random.random_range(0..self.devices.len());
        let device = &mut self.devices[n];
        let earlier = device.earlier[self.random.random_range(0..device.earlier.len())].clone();
        device.go_back_to(earlier);
    }

    /// Whoever was answered hears it.
    fn poll(&mut self) -> Result<(), String> {
        let (step, runtime) = (self.step, &self.runtime);
        let mut answers = Vec::new();
        for (n, (_, sending)) in self.letters.iter_mut().enumerate() {
            if let Some(doing) = sending
                && let Some(answer) = poll_once(runtime, doing)
            {
                *sending = None;
                answers.push((n, answer));
            }
        }
        self.doings
            .retain_mut(|doing| poll_once(runtime, doing).is_none());
        for (n, answer) in answers.into_iter().rev() {
            match answer {
                Ok(message) => {
                    let (letter, _) = self.letters.remove(n);
                    let own = cast().people[letter.sender].user;
                    if message.sender != own || message.text != letter.text {
                        return Err(format!("{letter:?} was answered with {message:?}"));
                    }
                    self.acknowledged.push(Acknowledged {
                        letter,
                        seq: message.seq,
                        answered: step,
                    });
                }
                Err(error) if is_open(&error) => {}
                Err(error) => {
                    let (letter, _) = self.letters.remove(n);
                    if is_conflict(&error) {
                        return Err(format!("the key of {letter:?} is said to be another's"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Nothing is bent any more, and everything comes to rest.
    fn settle(&mut self) -> Result<(), String> {
        let mut quiet = 0;
        for round in 0..2_000 {
            let mut moved = false;
            let waiting = self
                .letters
                .iter()
                .position(|(_, sending)| sending.is_none());
            if let Some(n) = waiting {
                let chat = Arc::clone(&self.house().chat);
                let (letter, sending) = &mut self.letters[n];
                *sending = Some(letter.send(&chat));
                moved = true;
            }
            let Self { house, runtime, .. } = self;
            let house = house.as_mut().expect("an open house");
            moved |= house
                .write(runtime, Verdict::GoOn)
                .map_err(|error| error.to_string())?;
            while let Some(commit) = house.on_the_way.pop_front() {
                house.hub.take(commit);
                moved = true;
            }
            moved |= house.read(runtime, Verdict::GoOn);
            self.look_at_heads();
            for n in 0..self.devices.len() {
                let mut device = self.devices.remove(0);
                let reader = self.reader();
                if !device.is_listening() {
                    device.listen(reader.chat);
                    moved = true;
                }
                let heard = device.hear(&reader);
                self.devices.push(device);
                moved |= heard.map_err(|error| format!("device {n}: {error}"))?;
            }
            self.poll()?;
            quiet = if moved { 0 } else { quiet + 1 };
            if quiet > 4 {
                return Ok(());
            }
            if round == 1_999 {
                return Err("it does not come to rest".to_owned());
            }
        }
        Ok(())
    }

    /// What is stored is what was acknowledged, in one order, and every device knows what the server knows.
    fn check(&mut self) -> Result<(), String> {
        let mut stored: BTreeMap<String, Vec<Message>> = BTreeMap::new();
        for id in &cast().conversations {
            let found = self.runtime.block_on(
                self.house
                    .as_ref()
                    .expect("an open house")
                    .store
                    .messages_since(
                        &[parlor::store::Run {
                            conversation: id.parse().expect("an id"),
                            after: 0,
                        }],
                        i64::MAX,
                        10_000,
                    ),
            );
            stored.insert(id.clone(), found.expect("read").pop().unwrap_or_default());
        }
        for (id, messages) in &stored {
            check_order(id, messages)?;
        }
        for one in &self.acknowledged {
            let place = &stored[&one.letter.conversation];
            let own = cast().people[one.letter.sender].user;
            let same: Vec<_> = place
                .iter()
                .filter(|message| message.sender == own && message.text == one.letter.text)
                .map(|message| message.seq)
                .collect();
            if same != [one.seq] {
                return Err(format!(
                    "{:?} was acknowledged as {} and is stored as {same:?}",
                    one.letter, one.seq
                ));
            }
        }
        self.check_real_time()?;
        self.check_members()?;
        for device in &self.devices {
            for (id, seq, text) in &device.shown {
                let is_there = stored[id].get(usize::try_from(*seq).expect("a number") - 1);
                if is_there.is_none_or(|message| message.text != *text) {
                    return Err(format!(
                        "message {seq} {text:?} was shown and is not stored"
                    ));
                }
            }
            device.check(&self.reader())?;
        }
        Ok(())
    }

    /// What was acknowledged before another was sent comes before it.
    fn check_real_time(&self) -> Result<(), String> {
        let mut by_place: HashMap<&str, Vec<&Acknowledged>> = HashMap::new();
        for one in &self.acknowledged {
            by_place
                .entry(&one.letter.conversation)
                .or_default()
                .push(one);
        }
        for sends in by_place.values() {
            for one in sends {
                let late = sends
                    .iter()
                    .find(|other| other.answered < one.letter.sent && other.seq > one.seq);
                if let Some(late) = late {
                    return Err(format!("{:?} came before {:?}", one.letter, late.letter));
                }
            }
        }
        Ok(())
    }

    /// Nobody sent anything where they were no member.
    fn check_members(&self) -> Result<(), String> {
        let path = house::database(self.directory.path());
        let count = self.runtime.block_on(crate::support::db_number(
            &path,
            "SELECT count(*) AS n FROM messages m WHERE NOT EXISTS (SELECT 1 FROM memberships s
             WHERE s.conversation_id = m.conversation_id AND s.user_id = m.sender_id
             AND s.joined_position < m.position AND (s.left_position IS NULL OR s.left_position > m.position))",
        ));
        if count > 0 {
            return Err(format!("{count} messages of people who were no members"));
        }
        Ok(())
    }
}

/// Numbers without a gap, and times that never go back.
fn check_order(id: &str, messages: &[Message]) -> Result<(), String> {
    for (n, message) in messages.iter().enumerate() {
        if usize::try_from(message.seq) != Ok(n + 1) {
            return Err(format!(
                "{id}: message {} is at place {}",
                message.seq,
                n + 1
            ));
        }
    }
    let mut pairs = messages.windows(2);
    if let Some(pair) = pairs.find(|pair| pair[0].sent_at > pair[1].sent_at) {
        return Err(format!("{id}: the time goes back at {}", pair[1].seq));
    }
    Ok(())
}

fn poll_once<T>(runtime: &Runtime, doing: &mut Doing<T>) -> Option<Result<T, parlor::chat::Error>> {
    runtime.block_on(async {
        tokio::select! {
            biased;
            done = doing => Some(done),
            () = std::future::ready(()) => None,
        }
    })
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
    let seeds = setting("SEEDS", 200);
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
