//! Passwords: Argon2id with 19 MiB, two passes and one lane, as OWASP's cheat sheet on password storage advises.
//! Hashing takes a core for some 20 ms, so it runs off the async threads, and only a few at a time.

use std::sync::{Arc, OnceLock};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordVerifier, Version,
    password_hash::{PasswordHasher, SaltString},
};
use tokio::sync::Semaphore;

use super::Error;
use crate::model::Random;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

fn argon2() -> Argon2<'static> {
    // The default of these parameters is the same today; written out, it stays so.
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str, salt: [u8; 16]) -> Option<String> {
    let salt = SaltString::encode_b64(&salt).ok()?;
    argon2()
        .hash_password(password.as_bytes(), &salt)
        .ok()
        .map(|hash| hash.to_string())
}

fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Hashes and compares passwords.
pub(super) struct Passwords {
    places: Arc<Semaphore>,
    /// Those who wait for a place, and those who have one.
    waiting: Semaphore,
    random: Arc<Random>,
    /// A hash that no password has: what an unknown handle is compared with, so that it takes the same time. Made with
    /// the first comparison, whosever that is.
    nobodys: Arc<OnceLock<String>>,
}

impl Passwords {
    pub(super) fn new(at_once: usize, waiting: usize, random: Arc<Random>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(at_once)),
            waiting: Semaphore::new(at_once + waiting),
            random,
            nobodys: Arc::default(),
        }
    }

    /// The hash to store for a password.
    pub(super) async fn hash(&self, password: String) -> Result<String, Error> {
        let salt = self.random.bytes();
        self.off_thread(move || hash(&password, salt))
            .await?
            .ok_or_else(unavailable)
    }

    /// Whether a password is the one of this hash; with no hash it is not, and takes as long.
    pub(super) async fn matches(
        &self,
        password: String,
        hash: Option<&str>,
    ) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.map(str::to_owned);
        let nobodys = Arc::clone(&self.nobodys);
        let (secret, salt) = (self.random.bytes::<32>(), self.random.bytes());
        let compare = move || {
            let secret = || data_encoding::HEXLOWER.encode(&secret);
            let nobodys = nobodys.get_or_init(|| self::hash(&secret(), salt).unwrap_or_default());
            matches(&password, hash.as_ref().unwrap_or(nobodys))
        };
        Ok(self.off_thread(compare).await? && known)
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _waiting = self.waiting.try_acquire().map_err(|_| unavailable())?;
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|_| unavailable())?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // The place is given back when the work is done, though the request that wanted it may be gone.
            drop(place);
            done
        });
        done.await.map_err(|_| unavailable())
    }
}

fn unavailable() -> Error {
    Error::Unavailable {
        retry_after: std::time::Duration::from_secs(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_nobody_else_s() {
        let passwords = Passwords::new(1, 0, Arc::new(Random::seeded(1)));
        let hash = passwords
            .hash("correct horse".to_owned())
            .await
            .expect("hashed");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let matches = |password: &str, hash| passwords.matches(password.to_owned(), hash);
        assert!(
            matches("correct horse", Some(&hash))
                .await
                .expect("compared")
        );
        assert!(!matches("wrong horse", Some(&hash)).await.expect("compared"));
        assert!(!matches("correct horse", None).await.expect("compared"));
        assert!(
            !matches("correct horse", Some("no hash"))
                .await
                .expect("compared")
        );
    }
}
