//! What fuzzers throw texts at: what a client writes around its documents.

use axum::http::{HeaderMap, HeaderValue, Uri, header};

use super::{accept::Accept, auth, origin::Origins, peer, protocol::Said, request};
use crate::model::Limits;

/// A message on a socket. Whether it is one.
pub fn socket_message(text: &str) -> bool {
    match Said::read(text) {
        Some(Said::ConnectionInit { payload }) => auth::from_init(payload.as_ref()).is_some(),
        Some(said) => matches!(said, Said::Subscribe { .. } | Said::Complete { .. }),
        None => false,
    }
}

/// The head of a request: each line is the value of a header, the first the address. Whether that asks something.
pub fn head(text: &str) -> bool {
    let mut lines = text.split('\n');
    let uri = lines.next().and_then(|line| line.parse::<Uri>().ok());
    let asked = uri.map(|uri| request::read_parameters(&uri, &Limits::default()));
    let mut headers = HeaderMap::new();
    let names = [
        header::ACCEPT,
        header::ORIGIN,
        header::HOST,
        header::AUTHORIZATION,
        peer::FORWARDED_FOR,
        peer::REQUEST_ID,
    ];
    for (name, line) in names.into_iter().cycle().zip(lines) {
        if let Ok(value) = HeaderValue::from_str(line) {
            headers.append(name, value);
        }
    }
    let accept = Accept::of(&headers);
    accept.single();
    accept.lasting();
    Origins::default().admit(&headers);
    auth::from_headers(&headers);
    peer::RequestId::given(&headers);
    let networks = ["127.0.0.0/8".parse(), "::/0".parse()];
    let networks: Vec<_> = networks.into_iter().flatten().collect();
    peer::behind([127, 0, 0, 1].into(), &headers, &networks);
    asked.is_some_and(|asked| asked.is_ok())
}
