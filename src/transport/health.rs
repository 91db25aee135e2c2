//! What an operator's probes ask.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::Shared;

/// The process runs.
pub(super) async fn live() -> &'static str {
    "live\n"
}

/// People can be served: the database answers, the log takes writes, and nobody has told us to stop.
pub(super) async fn ready(State(edge): Shared) -> Response {
    if !edge.stop.is_cancelled() && edge.api.chat().is_ready().await {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
    }
}
