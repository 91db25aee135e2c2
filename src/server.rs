//! The whole house, put together: opened from the bottom up, stopped from the top down.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    net::TcpListener,
    runtime::{Builder, Handle},
    task::{JoinError, JoinHandle},
};
use tokio_util::sync::CancellationToken;

use crate::{
    bus,
    chat::{self, Chat},
    fault::Faults,
    graphql::Api,
    live::{Hub, LogReader},
    log::{self, Stopped},
    model::{Clock, Limits, Random, SystemClock},
    store::{self, OpenError, Opened, Store},
    transport::{Doors, Edge},
};

/// What a server is made with.
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Which database.
    pub database_url: String,
    /// The bounds.
    pub limits: Limits,
    /// Who may come in.
    pub doors: Doors,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Random,
    /// What a test planted.
    pub faults: Faults,
}

impl Settings {
    /// The machine's own time and chance.
    pub fn new(listen: SocketAddr, database_url: String, limits: Limits) -> Self {
        Self {
            listen,
            database_url,
            limits,
            doors: Doors::default(),
            clock: Arc::new(SystemClock),
            random: Random::from_os(),
            faults: Faults::default(),
        }
    }
}

/// Why a server cannot start; each is one clear line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database cannot be read.
    #[error("cannot read the database: {0}")]
    Read(#[from] store::Error),
}

/// Why a server ended without being told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The log stopped.
    #[error(transparent)]
    Log(#[from] Stopped),
    /// The listener failed.
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
    /// A task panicked.
    #[error("a task failed: {0}")]
    Task(#[from] JoinError),
}

/// A server that runs.
pub struct Server {
    address: SocketAddr,
    api: Arc<Api>,
    hub: Arc<Hub>,
    store: Store,
    stop: CancellationToken,
    stop_log: CancellationToken,
    edge: JoinHandle<std::io::Result<()>>,
    log: JoinHandle<Result<(), Stopped>>,
    /// Ends what ties closed accounts to others.
    closing: JoinHandle<()>,
    /// Reads the log for streams that are behind.
    reader: JoinHandle<()>,
    limits: Arc<Limits>,
}

impl Server {
    /// Opens the database and begins to serve.
    #[expect(
        clippy::disallowed_methods,
        reason = "the owner of the tasks: it stops and awaits each of them"
    )]
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let Settings {
            listen,
            database_url,
            limits,
            doors,
            clock,
            random,
            faults,
        } = settings;
        let (limits, random) = (Arc::new(limits), Arc::new(random));
        let Opened { store, writer } = store::open(&database_url, &random).await?;
        let (publisher, subscriber) = bus::local();
        let parts = log::Parts {
            writer,
            publisher,
            clock: Arc::clone(&clock),
            limits: Arc::clone(&limits),
            faults: faults.clone(),
        };
        let (log, log_writer, profiles) = log::open(parts, &store).await?;
        let (hub, waiting) = Hub::new(Arc::clone(&limits), &log.heads(), faults.clone());
        let hub = Arc::new(hub);
        let reader = LogReader::new(store.clone(), Arc::clone(&hub), waiting);
        let parts = chat::Parts {
            store: store.clone(),
            log,
            profiles,
            hub: Arc::clone(&hub),
            limits: Arc::clone(&limits),
            clock,
            random,
            faults,
        };
        let api = Arc::new(Api::new(Arc::new(Chat::new(parts))));
        let listening = |source| StartError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;

        let (stop, stop_log) = (CancellationToken::new(), CancellationToken::new());
        let edge = Edge::new(Arc::clone(&api), doors, stop.clone());
        let (chat, closing_stop) = (Arc::clone(api.chat()), stop.clone());
        let closing = async move { chat.end_closed_accounts(closing_stop).await };
        Ok(Self {
            address,
            api,
            hub: Arc::clone(&hub),
            store,
            edge: tokio::spawn(edge.serve(listener)),
            log: on_own_thread(log_writer.run(stop_log.clone()), hub.run(subscriber)),
            closing: tokio::spawn(closing),
            reader: tokio::spawn(reader.run(stop_log.clone())),
            stop,
            stop_log,
            limits,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it reads from.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What it serves.
    pub fn api(&self) -> &Arc<Api> {
        &self.api
    }

    /// Who listens.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Serves until `told_to_stop`, then stops: new work is refused, what runs is finished, sockets are closed with
    /// 1012, and what was queued is written. Ends early when a part of it fails.
    pub async fn run_until(
        mut self,
        told_to_stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let (mut log, mut edge, mut reader) = (None, None, None);
        tokio::select! {
            () = told_to_stop => {}
            ended = &mut self.log => log = Some(ended),
            ended = &mut self.edge => edge = Some(ended),
            // It ends before it is told to only by a panic; nobody would be told what they missed.
            ended = &mut self.reader => reader = Some(ended),
        }
        self.stop.cancel();
        // Even when the log has failed: whoever waits for it has been answered, and is to hear it.
        let edge = match edge {
            Some(ended) => ended,
            None => self.end_connections().await,
        };
        let closing = (&mut self.closing).await;
        self.stop_log.cancel();
        let log = match log {
            Some(ended) => ended,
            None => (&mut self.log).await,
        };
        let reader = match reader {
            Some(ended) => ended,
            None => self.reader.await,
        };
        self.store.close().await;
        log??;
        edge??;
        closing?;
        reader?;
        Ok(())
    }

    async fn end_connections(&mut self) -> Result<std::io::Result<()>, JoinError> {
        let patience = self.limits.stop_within;
        if let Ok(ended) = tokio::time::timeout(patience, &mut self.edge).await {
            return ended;
        }
        tracing::warn!("connections did not end in {patience:?}; they are cut");
        self.edge.abort();
        Ok(Ok(()))
    }
}

/// Runs the writer on a thread of its own, and the hub with it. Among the tasks of the sockets it would wait its turn
/// behind hundreds of them at each of a transaction's steps, while all of them wait for it. And what the hub hands on
/// wakes a socket together with the answer to what it sent, so that it writes both in one go.
fn on_own_thread(
    writing: impl Future<Output = Result<(), Stopped>> + Send + 'static,
    handing_on: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<Result<(), Stopped>> {
    let main = Handle::current();
    // In this order: what was committed is handed on when the writer steps aside for that, and only then answered. The other
    // way round the writer could be in its next commit by then.
    let both = async { tokio::join!(biased; writing, handing_on).0 };
    tokio::task::spawn_blocking(move || {
        match Builder::new_current_thread().enable_all().build() {
            Ok(own) => own.block_on(both),
            // Without a reactor of its own it is slower, not wrong.
            Err(_) => main.block_on(both),
        }
    })
}
