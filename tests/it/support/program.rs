//! The program itself, as an operator runs it.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// A running `parlor`.
pub(crate) struct Program {
    child: Child,
    /// What it said before it was ready, and that it was.
    pub(crate) said: Vec<String>,
    /// Its endpoint.
    pub(crate) url: String,
}

/// How a run of the program ended.
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it complained of.
    pub(crate) stderr: String,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PARLOR_")) {
        command.env_remove(name);
    }
    command
}

fn serve_arguments(database: &std::path::Path) -> Vec<String> {
    let url = format!("sqlite://{}?mode=rwc", database.display());
    [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--rate-limits",
        "off",
        "--database-url",
        &url,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let output = command(arguments)
        .envs(environment.iter().copied())
        .output()
        .expect("it runs");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

impl Program {
    /// Serves a database at a free port, and waits until it says that it is ready.
    pub(crate) fn serve(database: &std::path::Path, more: &[&str]) -> Self {
        let mut arguments = serve_arguments(database);
        arguments.extend(more.iter().map(ToString::to_string));
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        Self::wait_for(command(&arguments))
    }

    /// The same in an environment of its own.
    pub(crate) fn serve_with(
        database: &std::path::Path,
        environment: &[(&str, &std::ffi::OsStr)],
    ) -> Self {
        let arguments = serve_arguments(database);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut command = command(&arguments);
        command.envs(environment.iter().copied());
        Self::wait_for(command)
    }

    /// The same on a disk that takes no file of more KiB than this.
    pub(crate) fn serve_with_files_of_at_most(kib: u32, database: &std::path::Path) -> Self {
        let limited = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &limited, env!("CARGO_BIN_EXE_parlor")])
            .args(serve_arguments(database));
        Self::wait_for(shell)
    }

    fn wait_for(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().expect("it runs");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut said = Vec::new();
        let url = loop {
            let line = lines
                .next()
                .expect("it should say that it is ready")
                .expect("text");
            let url = line.strip_prefix("Parlor is ready at ").map(str::to_owned);
            said.push(line);
            if let Some(url) = url {
                break url;
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, said, url }
    }

    /// Its end, as by a power cut of the process.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let killed = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(killed.success());
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        super::until(|| {
            let status = self.child.try_wait().expect("its status");
            async move { status }
        })
        .await
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A test that failed must not leave a server behind.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs the program, waits a moment, and takes what it complained of; for programs that should not start.
pub(crate) fn refuse(arguments: &[&str]) -> Ended {
    let mut child = command(arguments).spawn().expect("it runs");
    let deadline = std::time::Instant::now() + super::SOON;
    let code = loop {
        match child.try_wait().expect("its status") {
            Some(status) => break status.code(),
            None if std::time::Instant::now() > deadline => {
                drop(child.kill());
                panic!("it should not have started: {arguments:?}");
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let mut ended = Ended {
        code,
        stdout: String::new(),
        stderr: String::new(),
    };
    child
        .stdout
        .take()
        .expect("its output")
        .read_to_string(&mut ended.stdout)
        .expect("text");
    child
        .stderr
        .take()
        .expect("its complaints")
        .read_to_string(&mut ended.stderr)
        .expect("text");
    ended
}
