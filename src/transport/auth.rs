//! Who is asking: a token, in the place where each protocol has one.

use axum::http::{HeaderMap, header::AUTHORIZATION};
use serde_json::Value;

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
    let fields = payload?.as_object()?;
    let find = |fields: &serde_json::Map<String, Value>| {
        let mut named = fields
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        match named.next()? {
            // A client that has no token says so.
            (_, Value::Null) => None,
            // Something that is no text was meant as a token all the same.
            (_, value) => Some(token(value.as_str().unwrap_or_default())),
        }
    };
    find(fields).or_else(|| find(fields.get("headers")?.as_object()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
                from_init(Some(&payload)).map(|token| token.hash()),
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
            assert!(from_init(Some(&payload)).is_none(), "{payload}");
        }
        assert!(
            from_init(Some(&json!({"authorization": 7})))
                .is_some_and(|token| token.hash() != secret)
        );
    }
}
