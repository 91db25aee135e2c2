//! The house with its people: start an app, sign people up, let them talk. Names that begin with `db_` are back doors
//! into the database; everything else goes through the API.

pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod events_over_http;
pub(crate) mod ledger;
pub(crate) mod program;
pub(crate) mod socket;

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use parlor::{
    fault::{Faults, Hook},
    model::{Clock, Limits, Random, SystemClock, Timestamp},
    server::{Server, Settings, StartError},
    transport::Doors,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) use client::{Client, Reply};
pub(crate) use socket::Socket;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// How long a test waits for something that should be soon.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A clock that a test can turn: the machine's, and so much more.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    /// Goes on, or back, by this much.
    pub(crate) fn turn(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().millis() + self.0.load(Ordering::SeqCst))
    }
}

/// A server in this process, on a database of its own.
pub(crate) struct TestApp {
    /// Where it listens.
    pub(crate) url: String,
    /// What time it is there.
    pub(crate) clock: Arc<TestClock>,
    /// What the server reads from.
    pub(crate) store: parlor::store::Store,
    directory: Arc<TempDir>,
    limits: Limits,
    doors: Doors,
    stop: CancellationToken,
    /// Who hands out what was committed.
    pub(crate) hub: Arc<parlor::live::Hub>,
    running: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl TestApp {
    /// A new server with a new database.
    pub(crate) async fn start() -> Self {
        Self::start_with(Limits {
            rate_limits: false,
            ..Limits::default()
        })
        .await
    }

    /// The same with other bounds.
    pub(crate) async fn start_with(limits: Limits) -> Self {
        let doors = Doors {
            graphiql: true,
            metrics: true,
            ..Doors::default()
        };
        Self::start_behind(limits, doors).await
    }

    /// The same behind other doors.
    pub(crate) async fn start_behind(limits: Limits, doors: Doors) -> Self {
        let directory = Arc::new(TempDir::new().expect("a directory"));
        Self::open(directory, limits, doors, Arc::default(), Faults::default())
            .await
            .expect("a server")
    }

    /// The same with a test at its points.
    pub(crate) async fn start_watched(limits: Limits, hook: Arc<dyn Hook>) -> Self {
        let directory = Arc::new(TempDir::new().expect("a directory"));
        let faults = Faults {
            fault: None,
            hook: Some(hook),
        };
        Self::open(directory, limits, Doors::default(), Arc::default(), faults)
            .await
            .expect("a server")
    }

    async fn open(
        directory: Arc<TempDir>,
        limits: Limits,
        doors: Doors,
        clock: Arc<TestClock>,
        faults: Faults,
    ) -> Result<Self, StartError> {
        let database_url = format!(
            "sqlite://{}?mode=rwc",
            directory.path().join("chat.db").display()
        );
        let server = Server::start(Settings {
            listen: "127.0.0.1:0".parse().expect("an address"),
            database_url,
            limits: limits.clone(),
            doors: doors.clone(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Random::from_os(),
            faults,
        })
        .await?;
        let (url, hub) = (
            format!("http://{}/graphql", server.address()),
            Arc::clone(server.hub()),
        );
        let store = server.store().clone();
        let stop = CancellationToken::new();
        let told = stop.clone().cancelled_owned();
        let running =
            tokio::spawn(async move { server.run_until(told).await.expect("a clean end") });
        Ok(Self {
            url,
            clock,
            store,
            directory,
            limits,
            doors,
            stop,
            hub,
            running: Mutex::new(Some(running)),
        })
    }

    /// Another server on the same database, while this one may still run.
    pub(crate) async fn open_again(&self) -> Result<Self, StartError> {
        Self::open(
            Arc::clone(&self.directory),
            self.limits.clone(),
            self.doors.clone(),
            Arc::clone(&self.clock),
            Faults::default(),
        )
        .await
    }

    /// Stops, and starts again on the same database.
    pub(crate) async fn restart(self) -> Self {
        self.stop().await;
        self.open_again().await.expect("the server again")
    }

    /// Tells the server to stop and waits until it has.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        let running = self.running.lock().expect("a lock").take();
        if let Some(running) = running {
            running.await.expect("a clean end");
        }
    }

    /// The database file.
    pub(crate) fn db_path(&self) -> std::path::PathBuf {
        self.directory.path().join("chat.db")
    }

    /// How many rows a table has.
    pub(crate) async fn db_count(&self, table: &str) -> i64 {
        db_number(&self.db_path(), &format!("SELECT COUNT(*) FROM {table}")).await
    }

    /// Waits until nobody listens any more.
    pub(crate) async fn nobody_listens(&self) {
        until(|| async { (self.hub.listened_to() == (0, 0)).then_some(()) }).await;
    }

    /// Waits until somebody listens to so many conversations.
    pub(crate) async fn listened_to(&self, conversations: usize) {
        until(|| async { (self.hub.listened_to().0 == conversations).then_some(()) }).await;
    }

    /// Somebody who is not signed in.
    pub(crate) fn anonymous(&self) -> Client {
        Client::new(&self.url, None)
    }

    /// Signs somebody up.
    pub(crate) async fn sign_up(&self, handle: &str) -> Client {
        client::sign_up(&self.url, handle).await
    }

    /// Alice and Bob.
    pub(crate) async fn alice_and_bob(&self) -> (Client, Client) {
        tokio::join!(self.sign_up("alice"), self.sign_up("bob"))
    }
}

/// The number that a statement gives, in a database file.
pub(crate) async fn db_number(path: &std::path::Path, statement: &str) -> i64 {
    let url = format!("sqlite://{}", path.display());
    let db = sea_orm::Database::connect(url).await.expect("a connection");
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, statement);
    let row = sea_orm::ConnectionTrait::query_one_raw(&db, statement)
        .await
        .expect("an answer")
        .expect("a row");
    let number = row.try_get_by_index(0).expect("a number");
    db.close().await.expect("closed");
    number
}

/// The rows that a statement gives, of two numbers each, in a database file.
pub(crate) async fn db_rows(
    path: &std::path::Path,
    statement: &str,
) -> Vec<(Option<i64>, Option<i64>)> {
    let url = format!("sqlite://{}", path.display());
    let db = sea_orm::Database::connect(url).await.expect("a connection");
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, statement);
    let rows = sea_orm::ConnectionTrait::query_all_raw(&db, statement).await;
    let number = |row: &sea_orm::QueryResult, at| row.try_get_by_index(at).expect("a number");
    let rows = rows.expect("an answer");
    let rows = rows.iter().map(|row| (number(row, 0), number(row, 1)));
    let rows = rows.collect();
    db.close().await.expect("closed");
    rows
}

/// Waits for a condition, as long as it may take and no longer.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(mut condition: impl FnMut() -> F) -> T {
    let wait = async {
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, wait)
        .await
        .expect("it should have happened by now")
}
