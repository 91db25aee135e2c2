//! WIRES: one URL, `/graphql`, and a few pages beside it. Who is asking, and in what protocol; what they ask is for the
//! rooms below. The only room that knows axum.

mod auth;
mod graphiql;
mod health;
mod http;
mod operation;
mod protocol;
mod socket;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{Router, extract::State, response::Response, routing::get, serve::ListenerExt};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::graphql::Api;

/// What every connection shares.
#[derive(Clone)]
pub struct Edge {
    api: Arc<Api>,
    stop: CancellationToken,
    sockets: TaskTracker,
    requests: Arc<AtomicU64>,
}

impl Edge {
    /// An edge around the API that serves until `stop`.
    pub fn new(api: Arc<Api>, stop: CancellationToken) -> Self {
        Self {
            api,
            stop,
            sockets: TaskTracker::new(),
            requests: Arc::new(AtomicU64::new(1)),
        }
    }

    /// Serves until it is told to stop, and then until what was running is done and every socket is closed.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        // Frames are small and go out when they are whole: waiting for more to send would only delay them.
        let listener = listener.tap_io(|io| {
            if let Err(error) = io.set_nodelay(true) {
                tracing::debug!(%error, "a connection was gone at once");
            }
        });
        let stop = self.stop.clone();
        let sockets = self.sockets.clone();
        axum::serve(listener, self.router())
            .with_graceful_shutdown(stop.cancelled_owned())
            .await?;
        sockets.close();
        sockets.wait().await;
        Ok(())
    }

    fn router(self) -> Router {
        Router::new()
            .route("/graphql", get(socket::upgrade).post(http::post))
            .route("/health/live", get(health::live))
            .route("/health/ready", get(health::ready))
            .route("/", get(graphiql::page))
            .route("/graphiql/{file}", get(graphiql::file))
            .with_state(self)
    }

    /// A name for a request, under which its faults are logged.
    fn request_id(&self) -> String {
        format!("{:x}", self.requests.fetch_add(1, Ordering::Relaxed))
    }
}

/// The edge, as handlers take it.
type Shared = State<Edge>;

/// What handlers give.
type Reply = Response;
