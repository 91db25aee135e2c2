//! A server as a process of its own, and what the system says that it uses.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::Outcome;

/// Which of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Floor,
    Parlor,
}

pub(crate) const SIDES: [Side; 2] = [Side::Floor, Side::Parlor];

pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From its beginning until it said that it was ready.
    pub(crate) ready_after: Duration,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is lost by that: both promise to survive it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Process {
    /// Serves a database at a free port.
    pub(crate) fn start(side: Side, database: &Path) -> Outcome<Self> {
        let mut command = match side {
            Side::Floor => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("floor").arg(database);
                command
            }
            Side::Parlor => {
                let program = std::env::var_os("PARLOR_PROGRAM")
                    .ok_or("PARLOR_PROGRAM names no release build; `make bench` makes one")?;
                let mut command = Command::new(program);
                let url = format!("sqlite://{}?mode=rwc", database.display());
                command.args(["serve", "--listen", "127.0.0.1:0", "--rate-limits", "off"]);
                command.args(["--database-url", &url]);
                command
            }
        };
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PARLOR_")) {
            command.env_remove(name);
        }
        let began = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let ready_after = began.elapsed();
        let (_, address) = line.split_once("http://").ok_or("it did not start")?;
        let address = address.split('/').next().unwrap_or_default();
        Ok(Self {
            address: address.trim().parse()?,
            child,
            ready_after,
        })
    }

    /// CPU time so far, of all its threads; the system counts in hundredths of a second.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        cpu_of(&self.child.id().to_string())
    }

    /// Its part of the memory that is in use (PSS), in KiB.
    pub(crate) fn memory(&self) -> Outcome<f64> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        Ok(kib.ok_or("no Pss")?.parse()?)
    }

    /// Waits until it has nothing more to do, so that what comes before a measurement is not measured.
    pub(crate) async fn is_quiet(&self) -> Outcome<()> {
        for _ in 0..60 {
            let before = self.cpu()?;
            sleep(Duration::from_millis(500)).await;
            if self.cpu()?.saturating_sub(before) <= Duration::from_millis(10) {
                return Ok(());
            }
        }
        Err("the server does not come to rest".into())
    }
}

/// CPU time of the clients so far.
pub(crate) fn own_cpu() -> Outcome<Duration> {
    cpu_of("self")
}

fn cpu_of(process: &str) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name comes second, in brackets, and may hold blanks; user and system time are the 14th and the 15th.
    let (_, fields) = stat.rsplit_once(") ").ok_or("no name")?;
    let mut ticks = 0;
    for field in fields.split(' ').skip(11).take(2) {
        ticks += field.parse::<u64>()?;
    }
    Ok(Duration::from_millis(ticks * 10))
}
