//! WIRES: one URL, `/graphql`, and a few pages beside it. Who is asking, and in what protocol; what they ask is for the
//! rooms below. The only room that knows axum.

mod accept;
mod auth;
mod bell;
mod event_stream;
#[cfg(feature = "faults")]
pub mod fuzz;
mod graphiql;
mod guest;
mod health;
mod http;
mod lasting;
mod listener;
mod metrics;
mod multipart;
mod operation;
mod origin;
mod peer;
mod protocol;
mod request;
mod reservation;
mod seldom;
mod shared_stream;
mod socket;
mod wire;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router, extract::State, middleware::from_fn_with_state, response::Response, routing::get,
};
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::compression::{
    CompressionLayer, Predicate,
    predicate::{NotForContentType, SizeAbove},
};

pub use origin::{NoOrigin, Origin, Origins};

use crate::graphql::Api;

/// Who may come in, and what is shown to them.
#[derive(Debug, Clone, Default)]
pub struct Doors {
    /// Web pages that may ask, besides our own.
    pub origins: Origins,
    /// Proxies whose word on whom they ask for is taken.
    pub proxies: Vec<IpNet>,
    /// Whether GraphiQL is at `/`.
    pub graphiql: bool,
    /// Whether what is counted is at `/metrics`.
    pub metrics: bool,
}

/// What every connection shares.
#[derive(Clone)]
pub struct Edge {
    api: Arc<Api>,
    doors: Arc<Doors>,
    stop: CancellationToken,
    /// Sockets and responses that last.
    open: TaskTracker,
    seats: guest::Seats,
    reservations: reservation::Reservations,
    /// Begins the names of this process's requests, so that they are not those of the process before it.
    name: Arc<str>,
    requests: Arc<AtomicU64>,
}

impl Edge {
    /// An edge around the API that serves until `stop`.
    pub fn new(api: Arc<Api>, doors: Doors, stop: CancellationToken) -> Self {
        let name = api.chat().new_token().reveal()[..6].into();
        Self {
            api,
            doors: Arc::new(doors),
            stop,
            open: TaskTracker::new(),
            seats: guest::Seats::default(),
            reservations: reservation::Reservations::default(),
            name,
            requests: Arc::new(AtomicU64::new(1)),
        }
    }

    /// Serves until it is told to stop, and then until what was running is done and every socket is closed.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let (stop, open, api) = (self.stop.clone(), self.open.clone(), Arc::clone(&self.api));
        listener::serve(listener, self.router(), api.chat().limits(), stop).await?;
        open.close();
        open.wait().await;
        Ok(())
    }

    fn router(self) -> Router {
        // Streams would wait in the compressor for more to come.
        let compressible = SizeAbove::new(1_024)
            .and(NotForContentType::SSE)
            .and(NotForContentType::new("multipart/"));
        let graphql = get(http::get)
            .post(http::post)
            .put(reservation::put)
            .delete(reservation::delete)
            .layer(self.doors.origins.cors())
            .layer(from_fn_with_state(self.clone(), origin::check));
        let mut router = Router::new()
            .route("/graphql", graphql)
            .route("/health/live", get(health::live))
            .route("/health/ready", get(health::ready));
        if self.doors.graphiql {
            router = router
                .route("/", get(graphiql::page))
                .route("/graphiql/{file}", get(graphiql::file));
        } else {
            router = router.route("/", get(graphiql::switched_off));
        }
        if self.doors.metrics {
            router = router.route("/metrics", get(metrics::all));
        }
        router
            .layer(
                CompressionLayer::new()
                    .gzip(true)
                    .compress_when(compressible),
            )
            .layer(from_fn_with_state(self.clone(), peer::mark))
            .with_state(self)
    }

    /// A name for a request, under which its faults are logged.
    fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number:x}", self.name)
    }
}

/// The edge, as handlers take it.
type Shared = State<Edge>;

/// What handlers give.
type Reply = Response;
