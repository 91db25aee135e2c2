//! Automatic persisted queries, as Apollo has them: a client sends the SHA-256 of a document, and the document itself only
//! when the server does not know it.

use std::sync::Arc;

use async_graphql::{Request, ServerError, Value};
use data_encoding::HEXLOWER_PERMISSIVE;
use quick_cache::{Weighter, sync::Cache};
use sha2::{Digest, Sha256};

use super::error::{Code, failure};

/// Texts remembered at most, as bytes; the ones unused for longest are forgotten, and sent again by their clients.
const REMEMBERED_BYTES: u64 = 4 * 1024 * 1024;

type Hash = [u8; 32];

#[derive(Clone)]
struct ByText;

impl Weighter<Hash, Arc<str>> for ByText {
    fn weight(&self, _: &Hash, text: &Arc<str>) -> u64 {
        text.len() as u64 + 64
    }
}

/// Texts of documents by their hash.
pub(super) struct Persisted(Cache<Hash, Arc<str>, ByText>);

/// A text, and under which hash it is to be remembered once it is known to be a document.
pub(super) struct Asked {
    pub(super) text: Arc<str>,
    hash: Option<Hash>,
}

impl Persisted {
    pub(super) fn new() -> Self {
        Self(Cache::with_weighter(1_000, REMEMBERED_BYTES, ByText))
    }

    /// The text that a request means. One whose hash is not known is told so, in the words that clients look for.
    pub(super) fn find(&self, request: &mut Request) -> Result<Asked, ServerError> {
        let text = std::mem::take(&mut request.query);
        let extension = request.extensions.get("persistedQuery");
        let Some(extension) = extension.filter(|extension| **extension != Value::Null) else {
            if text.is_empty() {
                let message = "the request has no `query`";
                return Err(failure(Code::BadUserInput, message));
            }
            return Ok(Asked {
                text: text.into(),
                hash: None,
            });
        };
        let hash = hash(extension)?;
        if text.is_empty() {
            let unknown = || failure(Code::PersistedQueryNotFound, "PersistedQueryNotFound");
            return Ok(Asked {
                text: self.0.get(&hash).ok_or_else(unknown)?,
                hash: None,
            });
        }
        let own: Hash = Sha256::digest(text.as_bytes()).into();
        if own != hash {
            let message = "provided sha does not match query";
            return Err(failure(Code::BadUserInput, message));
        }
        Ok(Asked {
            text: text.into(),
            hash: Some(hash),
        })
    }

    /// Remembers a text that has turned out to be a document, if it came with its hash.
    pub(super) fn remember(&self, asked: &Asked) {
        if let Some(hash) = asked.hash {
            self.0.insert(hash, Arc::clone(&asked.text));
        }
    }
}

/// Whether a request says which document it means: by its text, or by its hash.
pub fn names_a_document(request: &Request) -> bool {
    !request.query.is_empty() || request.extensions.contains_key("persistedQuery")
}

/// The hash in `{"version": 1, "sha256Hash": "…"}`.
fn hash(extension: &Value) -> Result<Hash, ServerError> {
    let wrong = || {
        let message = "`extensions.persistedQuery` must be {\"version\": 1, \"sha256Hash\": \"…\"}, the hash as 64 hexadecimal digits";
        failure(Code::BadUserInput, message)
    };
    let Value::Object(fields) = extension else {
        return Err(wrong());
    };
    let (Some(Value::Number(version)), Some(Value::String(digits))) =
        (fields.get("version"), fields.get("sha256Hash"))
    else {
        return Err(wrong());
    };
    if version.as_u64() != Some(1) {
        return Err(wrong());
    }
    let bytes = HEXLOWER_PERMISSIVE
        .decode(digits.as_bytes())
        .map_err(|_| wrong())?;
    bytes.try_into().map_err(|_| wrong())
}
