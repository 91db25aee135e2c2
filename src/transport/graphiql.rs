//! GraphiQL, from our own files: it works without the internet, under a strict content security policy.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

/// The page, committed, and what it loads, put here by `make assets` from npm packages.
#[derive(RustEmbed)]
#[folder = "graphiql/dist"]
#[allow_missing = true]
struct Files;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page itself.
pub(super) async fn page() -> Response {
    match Files::get("index.html") {
        Some(file) => respond(file, "index.html"),
        None => (
            StatusCode::NOT_FOUND,
            "GraphiQL is not part of this build; run `make assets` and build again.\n",
        )
            .into_response(),
    }
}

/// What stands in its place.
pub(super) async fn switched_off() -> Response {
    let text =
        "Parlor serves GraphQL at /graphql. The explorer is off; --graphiql on shows it here.\n";
    (StatusCode::NOT_FOUND, text).into_response()
}

/// What the page loads.
pub(super) async fn file(Path(name): Path<String>) -> Response {
    Files::get(&name).map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        |file| respond(file, &name),
    )
}

fn respond(file: EmbeddedFile, name: &str) -> Response {
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => "application/octet-stream",
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, file.data).into_response()
}
