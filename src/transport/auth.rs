//! Who is asking: a token, in the place where each protocol has one.

use async_graphql::{Name, Value, indexmap::IndexMap};
use axum::http::{HeaderMap, header::AUTHORIZATION};

use crate::model::Token;

/// The token in a value such as `Bearer 0123…`; the word may be in any case, or left out.
fn token(value: &str) -> Token {
    let value = value.trim();
    let bare = match value.split_once(' ') {
        Some((word, rest)) if word.eq_ignore_ascii_case("bearer") => rest.trim(),
        _ => value,
    };
    Token::from_client(bare)
}

/// The token of a request's headers. A header that is no text is a token that nobody has.
pub(super) fn from_headers(headers: &HeaderMap) -> Option<Token> {
    headers
        .get(AUTHORIZATION)
        .map(|value| token(value.to_str().unwrap_or_default()))
}

/// The token of a `connection_init`: `authorization` in any letter case, at the top or, as some clients have it, under
/// `headers`.
pub(super) fn from_init(payload: Option<&Value>) -> Option<Token> {
    let fields = object(payload?)?;
    let find = |fields: &IndexMap<Name, Value>| {
        let mut named = fields
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        match named.next()? {
            // A client that has no token says so.
            (_, Value::Null) => None,
            (_, Value::String(text)) => Some(token(text)),
            // Something that is no text was meant as a token all the same.
            _ => Some(token("")),
        }
    };
    find(fields).or_else(|| find(object(fields.get("headers")?)?))
}

fn object(value: &Value) -> Option<&IndexMap<Name, Value>> {
    if let Value::Object(fields) = value {
        Some(fields)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(payload: &serde_json::Value) -> Option<Token> {
        let payload = Value::from_json(payload.clone()).expect("a value");
        from_init(Some(&payload))
    }

    #[test]
    fn a_token_is_found_in_any_of_its_usual_places() {
        let secret = Token::from_client("s3cret").hash();
        for payload in [
            json!({"authorization": "Bearer s3cret"}),
            json!({"Authorization": "bearer s3cret"}),
            json!({"AUTHORIZATION": "s3cret"}),
            json!({"headers": {"authorization": "BEARER  s3cret "}}),
        ] {
            assert_eq!(
                read(&payload).map(|token| token.hash()),
                Some(secret),
                "{payload}"
            );
        }
        for payload in [
            json!(null),
            json!({}),
            json!([]),
            json!({"headers": 1}),
            json!({"auth": "s3cret"}),
            json!({"authorization": null}),
        ] {
            assert!(read(&payload).is_none(), "{payload}");
        }
        assert!(read(&json!({"authorization": 7})).is_some_and(|token| token.hash() != secret));
    }
}
