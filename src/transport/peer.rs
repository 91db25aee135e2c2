//! Who is at the other end of a connection, and the name of what they ask.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
use tokio::sync::OwnedSemaphorePermit;

use super::Shared;

/// The other end of a connection. As long as it is held, the connection counts.
#[derive(Clone)]
pub(super) struct Peer {
    address: IpAddr,
    _place: Arc<OwnedSemaphorePermit>,
}

/// Where proxies say for whom they ask.
pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl Peer {
    pub(super) fn new(address: IpAddr, place: OwnedSemaphorePermit) -> Self {
        Self {
            address,
            _place: Arc::new(place),
        }
    }

    /// The address of who asks: the connection's own; or, when that is a proxy that we trust, the nearest one behind it
    /// that is not. What stands before that in the header anybody could have written.
    pub(super) fn address(request: &Request, proxies: &[IpNet]) -> IpAddr {
        let peer = request.extensions().get::<Self>();
        let address = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.address);
        behind(address, request.headers(), proxies)
    }
}

pub(super) fn behind(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| {
        let address = address.to_canonical();
        proxies.iter().any(|network| network.contains(&address))
    };
    let mut nearest = peer;
    let values: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    for value in values.into_iter().rev() {
        for hop in value.to_str().unwrap_or_default().rsplit(',') {
            if !is_trusted(&nearest) {
                return nearest;
            }
            match hop.trim().parse() {
                Ok(address) => nearest = address,
                // A proxy of ours wrote what is no address; whom it asks for is not known.
                Err(_) => return nearest,
            }
        }
    }
    nearest
}

/// The name of a request, under which its faults are logged.
#[derive(Clone)]
pub(super) struct RequestId(pub(super) String);

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest name that is taken from a client.
const REQUEST_ID_BYTES_MAX: usize = 64;

impl RequestId {
    pub(super) fn of(request: &Request) -> String {
        let id = request.extensions().get::<Self>();
        id.map(|id| id.0.clone()).unwrap_or_default()
    }

    /// The name that came with a request, if it can be written into a log as it is.
    pub(super) fn given(headers: &HeaderMap) -> Option<String> {
        let id = headers.get(REQUEST_ID)?.to_str().ok()?;
        let is_plain = id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte));
        (is_plain && (1..=REQUEST_ID_BYTES_MAX).contains(&id.len())).then(|| id.to_owned())
    }
}

/// Gives a request its name, the one that it came with or a new one, and every response the headers that browsers are to
/// have.
pub(super) async fn mark(State(edge): Shared, mut request: Request, next: Next) -> Response {
    let id = RequestId::given(request.headers()).unwrap_or_else(|| edge.request_id());
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    let defaults = [
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in defaults {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_what_a_trusted_proxy_says_is_believed() {
        let proxies: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"]
            .map(|network| network.parse().expect("a network"))
            .into();
        let rows: [(&str, &[&'static str], &str); 9] = [
            ("192.0.2.1", &[], "192.0.2.1"),
            ("192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            (
                "10.0.0.1",
                &["1.1.1.1", "198.51.100.7, 10.0.0.2"],
                "198.51.100.7",
            ),
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("fd00::1", &["2001:db8::7"], "2001:db8::7"),
        ];
        for (peer, forwarded, client) in rows {
            let headers = headers(&FORWARDED_FOR, forwarded);
            let peer = peer.parse().expect("an address");
            assert_eq!(
                behind(peer, &headers, &proxies).to_string(),
                client,
                "{peer} {forwarded:?}"
            );
        }
    }

    #[test]
    fn a_name_that_would_spoil_a_log_is_not_taken() {
        let given = |id| RequestId::given(&headers(&REQUEST_ID, &[id]));
        assert_eq!(given("a1-B_2.3"), Some("a1-B_2.3".to_owned()));
        for bad in ["", "a b", "a\"b", "<script>"] {
            assert_eq!(given(bad), None, "{bad}");
        }
    }
}
