//! What an operator's monitoring reads, in the text format of `OpenMetrics`.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{encoding::text::encode, metrics::gauge::Gauge, registry::Registry};

use super::Shared;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that is counted, as it is now.
pub(super) async fn all(State(edge): Shared) -> Response {
    let mut registry = Registry::with_prefix("parlor");
    edge.api.register(&mut registry);
    let open: Gauge = Gauge::default();
    open.set(i64::try_from(edge.open.len()).unwrap_or(i64::MAX));
    let help = "Sockets, event streams and multipart responses that are open";
    registry.register("open_connections", help, open);
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        // Writing to a text does not fail.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
