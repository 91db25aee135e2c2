//! Takes connections and speaks HTTP/1.1 on them. axum has a loop for this too; it waits for a request's head for ever,
//! and for a client that does not read.

use std::{io, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_service::Service;

use super::peer::Peer;
use crate::model::Limits;

/// A pause before the next try when a connection cannot be taken, for example for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// What every connection is served with.
struct Server {
    http: http1::Builder,
    router: Router,
    write_within: Duration,
    send_buffer_bytes: usize,
    stop_within: Duration,
    stop: CancellationToken,
}

/// Serves until it is told to stop, and then until every request that had begun is answered.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    stop: CancellationToken,
) -> io::Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .max_buf_size(limits.head_bytes_max);
    let server = Arc::new(Server {
        http,
        router,
        // A socket has as long to take a frame, and then a moment to take the reason why it is closed.
        write_within: limits.socket_write_within + Duration::from_secs(5),
        send_buffer_bytes: limits.send_buffer_bytes,
        stop_within: limits.stop_within / 2,
        stop: stop.clone(),
    });
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let connections = TaskTracker::new();
    let mut is_failing = false;
    while let Some(place) = until(&stop, Arc::clone(&places).acquire_owned()).await {
        let Ok(place) = place else { break };
        match until(&stop, listener.accept()).await {
            None => break,
            Some(Ok((stream, address))) => {
                is_failing = false;
                let peer = Peer::new(address.ip(), place);
                connections.spawn(Arc::clone(&server).converse(stream, peer));
            }
            Some(Err(error)) => {
                if !is_failing {
                    tracing::warn!(%error, "connections cannot be taken; they wait");
                }
                is_failing = true;
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    // Nobody new: whoever comes now is refused at once, and not left to wait.
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

async fn until<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        done = work => Some(done),
    }
}

impl Server {
    async fn converse(self: Arc<Self>, stream: TcpStream, peer: Peer) {
        // Frames are small and go out when they are whole: waiting for more to send would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone at once");
        }
        // By itself the system holds some megabytes for a client that does not read.
        if let Err(error) = SockRef::from(&stream).set_send_buffer_size(self.send_buffer_bytes) {
            tracing::debug!(%error, "a connection has the buffer that the system gives it");
        }
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.write_within));
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            self.router.clone().call(request)
        });
        let connection = self
            .http
            .serve_connection(TokioIo::new(Box::pin(stream)), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                // Half a head, and a client that does not read, would be waited for as long as they may take.
                let Ok(ended) = timeout(self.stop_within, connection).await else { return };
                ended
            }
        };
        if let Err(error) = ended {
            // The client's doing: it went, was too slow, or does not speak HTTP.
            tracing::debug!(%error, "a connection ended badly");
        }
    }
}
