//! The program: reads the command line, does what it says, and says in one line what went wrong.
//!
//! Exit codes: 0 done or stopped as told, 1 failed while serving, 2 could not start.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use clap::Parser;
use parlor::{
    config::{self, Cli, Command, Database, EpochCommand, Serve},
    demo, graphql,
    model::Random,
    server::{Server, Settings},
    store,
};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut runtime = Builder::new_multi_thread();
    if let Some(workers) = config::workers() {
        runtime.worker_threads(workers);
    }
    match runtime.enable_all().build() {
        Ok(runtime) => runtime.block_on(run()),
        Err(error) => cannot_start(&error),
    }
}

async fn run() -> ExitCode {
    let cli = Cli::parse();
    let levels = match EnvFilter::try_new(&cli.log) {
        Ok(levels) => levels,
        Err(error) => return cannot_start(&error),
    };
    tracing_subscriber::fmt()
        .with_env_filter(levels)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match cli.command {
        Command::Schema => {
            say(graphql::sdl().trim_end());
            ExitCode::SUCCESS
        }
        Command::Migrate(flags) => migrate(&flags.database).await,
        Command::Epoch(EpochCommand::New(flags)) => begin_epoch(&flags.database).await,
        Command::Serve(flags) => serve(flags).await,
    }
}

async fn migrate(database: &Database) -> ExitCode {
    match store::open(&database.database_url, &Random::from_os()).await {
        Ok(opened) => {
            opened.store.close().await;
            opened.writer.close().await;
            say("The database has its newest form.");
            ExitCode::SUCCESS
        }
        Err(error) => cannot_start(&error),
    }
}

async fn begin_epoch(database: &Database) -> ExitCode {
    let random = Random::from_os();
    let mut opened = match store::open(&database.database_url, &random).await {
        Ok(opened) => opened,
        Err(error) => return cannot_start(&error),
    };
    let begun = opened.writer.begin_epoch(&random).await;
    opened.store.close().await;
    opened.writer.close().await;
    match begun {
        Ok(_) => {
            say("Another epoch has begun: clients will load everything anew.");
            ExitCode::SUCCESS
        }
        Err(error) => cannot_start(&error),
    }
}

async fn serve(flags: Serve) -> ExitCode {
    let (mut limits, doors, faults) = (flags.limits(), flags.doors(), flags.faults());
    limits.connections_max = limits.connections_max.min(connections_allowed());
    let signals = signal(SignalKind::terminate())
        .and_then(|term| Ok((term, signal(SignalKind::interrupt())?)));
    let (mut terminate, mut interrupt) = match signals {
        Ok(signals) => signals,
        Err(error) => return cannot_start(&error),
    };
    let settings = Settings {
        doors,
        faults,
        ..Settings::new(flags.listen, flags.database.database_url, limits)
    };
    let server = match Server::start(settings).await {
        Ok(server) => server,
        Err(error) => return cannot_start(&error),
    };
    if flags.demo {
        let chat = server.api().chat();
        let filled = demo::fill(chat).await;
        match filled.and(demo::people(chat).await) {
            Ok(people) => introduce(&people),
            Err(error) => return cannot_start(&error),
        }
    }
    say(&format!(
        "Parlor is ready at http://{}/graphql",
        server.address()
    ));
    let told_to_stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    };
    match server.run_until(told_to_stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(1)
        }
    }
}

/// So few that an operator wants to know.
const FEW_CONNECTIONS: usize = 4_000;

/// Files that are not connections: the database's, the program's own.
const OTHER_FILES: usize = 200;

/// How many connections the system lets us have; we ask for as many as it gives.
fn connections_allowed() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1_024);
    let allowed = usize::try_from(files).unwrap_or(usize::MAX);
    let allowed = allowed.saturating_sub(OTHER_FILES).max(OTHER_FILES);
    if allowed < FEW_CONNECTIONS {
        tracing::warn!(
            allowed,
            "the system's limit on open files (ulimit -n) lets in few connections"
        );
    }
    allowed
}

fn introduce(people: &[demo::Person]) {
    if people.is_empty() {
        say("The database was not made by the demo, so there is nobody to introduce.");
        return;
    }
    say(&format!(
        "The demo's people; each has the password \"{}\".",
        demo::PASSWORD
    ));
    say("To be one of them, paste their line into GraphiQL's headers:");
    for person in people {
        say(&format!(
            "  {:<6} {{\"authorization\": \"Bearer {}\"}}",
            person.handle, person.token
        ));
    }
}

fn say(line: &str) {
    // Whoever read our output may be gone; that is no reason to stop.
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

fn complain(error: &dyn std::error::Error) {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some causes are part of their consequence's own text.
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    drop(writeln!(std::io::stderr().lock(), "parlor: {line}"));
}

fn cannot_start(error: &dyn std::error::Error) -> ExitCode {
    complain(error);
    ExitCode::from(2)
}
