//! The house, the people and their devices, and one step after another.

use std::sync::{Arc, atomic::Ordering};

use parlor::{
    fault::{Point, Verdict},
    model::Message,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::runtime::Runtime;

use super::{
    device::{Device, Reader},
    house::{Bends, House, SimClock},
    people::{Doing, Letter, cast, is_conflict, is_open, something},
    runtime,
};

/// Steps of a run.
const STEPS: u64 = 200;

/// A message, and the steps at which it was sent first and acknowledged.
pub(super) struct Acknowledged {
    pub(super) letter: Letter,
    pub(super) seq: i32,
    pub(super) answered: u64,
}

/// What a run did.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Totals {
    pub(super) acknowledged: usize,
    pub(super) retries: usize,
    pub(super) crashes: usize,
    pub(super) frames: usize,
    pub(super) resumes: usize,
    pub(super) dropped: usize,
}

pub(super) struct World {
    bends: Bends,
    pub(super) runtime: Runtime,
    random: StdRng,
    pub(super) directory: tempfile::TempDir,
    clock: Arc<SimClock>,
    pub(super) house: Option<House>,
    opened: u64,
    pub(super) devices: Vec<Device>,
    pub(super) letters: Vec<(Letter, Option<Doing<Arc<Message>>>)>,
    pub(super) doings: Vec<Doing<()>>,
    pub(super) acknowledged: Vec<Acknowledged>,
    /// Where the log stood when it was last looked at.
    heads: Option<Vec<i64>>,
    step: u64,
    said: u64,
    keys: [u64; 3],
    pub(super) totals: Totals,
}

impl World {
    pub(super) fn begin(bends: Bends) -> Self {
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

    pub(super) fn reader(&self) -> Reader<'_> {
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

    pub(super) fn live(&mut self) -> Result<(), String> {
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
                let doing = something(&mut self.random, &chat, self.said);
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

    /// Somebody says something new, or says again what was not acknowledged, or what was.
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
        if !self.acknowledged.is_empty() && self.random.random_bool(0.3) {
            let n = self.random.random_range(0..self.acknowledged.len());
            let letter = self.acknowledged[n].letter.clone();
            let sending = letter.send(&chat);
            self.totals.retries += 1;
            self.letters.push((letter, Some(sending)));
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
            let reader = self.reader();
            device.listen(reader.chat);
            device.hear(&reader)
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
