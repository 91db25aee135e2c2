//! Which web pages may ask. A page of another site can make a browser send requests and open sockets here; nothing of it
//! is run unless the page's origin was allowed.
//!
//! Tokens are never in cookies, so a foreign page has nobody's rights; this keeps it from anything that a later way of
//! signing in would open. It does not help against a name that is made to point here (the page is then ours by its name): what
//! may be asked without a token is open to whoever reaches the server.

use std::str::FromStr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use url::Url;

use super::{Shared, http::Caller};
use crate::graphql::Code;

/// The origins of pages that may ask, besides our own.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<Origin>);

/// One allowed origin, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Every page.
    Any,
    /// The pages of one site, as browsers write it: `https://app.example.com`.
    Of(String),
}

/// What is wrong with an origin.
#[derive(Debug, thiserror::Error)]
#[error(
    "an origin is written like https://app.example.com or http://localhost:5173, without a path; * allows all"
)]
pub struct NoOrigin;

impl FromStr for Origin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let url = Url::parse(text).map_err(|_| NoOrigin)?;
        let origin = url.origin();
        let is_bare = matches!(url.path(), "" | "/") && url.query().is_none();
        if !origin.is_tuple() || text.contains('*') || !is_bare || !url.username().is_empty() {
            return Err(NoOrigin);
        }
        Ok(Self::Of(origin.ascii_serialization()))
    }
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Origins {
    /// These.
    pub fn new(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    fn allows(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| match allowed {
            Origin::Any => true,
            Origin::Of(allowed) => allowed == origin,
        })
    }

    /// Whether a request comes from an allowed page, from one of ours, or from no page.
    pub(super) fn admit(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (Some(origin), None) => origin
                .to_str()
                .is_ok_and(|origin| self.allows(origin) || is_own(origin, headers)),
            (Some(_), Some(_)) => false,
            // A GET that a page makes without asking names no origin, but browsers say whether it crosses sites.
            (None, _) => {
                let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
                matches!(site, None | Some(b"same-origin" | b"none")) || self.allows("*")
            }
        }
    }

    /// What browsers are told about it.
    pub(super) fn cors(&self) -> CorsLayer {
        let origins = self.clone();
        let allowed = move |origin: &HeaderValue, _: &Parts| {
            origin.to_str().is_ok_and(|origin| origins.allows(origin))
        };
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(allowed))
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers([
                HeaderName::from_static("x-request-id"),
                header::RETRY_AFTER,
                header::WWW_AUTHENTICATE,
            ])
            .max_age(std::time::Duration::from_hours(2))
    }
}

/// Whether the page came from here. The scheme is not compared: behind a proxy that ends TLS we do not know ours.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let port = if scheme == "https" { ":443" } else { ":80" };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    host.is_some_and(|host| {
        let host = host.strip_suffix(port).unwrap_or(host);
        !host.is_empty() && host.eq_ignore_ascii_case(authority)
    })
}

/// Lets through what an allowed page, our own page or no page asks.
pub(super) async fn check(State(edge): Shared, request: Request, next: Next) -> Response {
    if edge.doors.origins.admit(request.headers()) {
        return next.run(request).await;
    }
    let message =
        "pages of this origin may not ask here; the server's --allow-origin says which may";
    Caller::of(&edge, &request).refuse(StatusCode::FORBIDDEN, Code::Forbidden, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        let read = |text: &str| text.parse::<Origin>().ok();
        let of = |text: &str| Some(Origin::Of(text.to_owned()));
        assert_eq!(read("*"), Some(Origin::Any));
        assert_eq!(
            read("https://App.example.com"),
            of("https://app.example.com")
        );
        assert_eq!(
            read("https://app.example.com:443/"),
            of("https://app.example.com")
        );
        assert_eq!(read("http://localhost:5173"), of("http://localhost:5173"));
        for bad in [
            "",
            "null",
            "app.example.com",
            "https://",
            "https://a.example/x",
            "https://me@a.example",
            "file:///x",
            "https://a.example?x",
            "data:text/html,x",
            "https://*.example.com",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
