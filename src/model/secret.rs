//! The secret of a session. It is shown once; what is stored is its hash.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::Random;

/// 256 random bits, written as 43 characters of base 64.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A new secret.
    pub fn new(random: &Random) -> Self {
        Self(BASE64URL_NOPAD.encode(&random.bytes::<32>()))
    }

    /// Takes what a client sent; anything may come, and what is no token has a hash that nothing has.
    pub fn from_client(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// What the store knows of it. A plain hash is enough for 256 random bits: there is nothing to guess.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The secret itself, for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// SHA-256 of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);
