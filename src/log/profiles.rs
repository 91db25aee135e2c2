//! People as they are now, in memory: every message names its sender, and senders hardly change.
//!
//! Exact, not nearly so: the writer takes a profile out when it has committed a change of it and before it answers, so
//! whoever was told of a change never reads what was before it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;

use crate::{
    model::{Change, News, User, UserId},
    store::{Error, Store},
};

const PROFILES_MAX: usize = 10_000;

/// A bounded cache of people.
pub struct Profiles {
    store: Store,
    cache: Cache<UserId, Arc<User>>,
    /// Rises with every change of any profile. A row that was read while it rose may be from before the change, and is
    /// not kept: whoever puts a row in or takes one out holds this lock.
    changes: Mutex<u64>,
}

impl Profiles {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            cache: Cache::new(PROFILES_MAX),
            changes: Mutex::new(0),
        }
    }

    fn changes(&self) -> MutexGuard<'_, u64> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A person as they are now.
    pub async fn find(&self, id: UserId) -> Result<Option<Arc<User>>, Error> {
        if let Some(user) = self.cache.get(&id) {
            return Ok(Some(user));
        }
        let before = *self.changes();
        let Some(user) = self.store.find_user(id).await?.map(Arc::new) else {
            return Ok(None);
        };
        let changes = self.changes();
        if *changes == before {
            self.cache.insert(id, Arc::clone(&user));
        }
        Ok(Some(user))
    }

    pub(super) fn forget_changed(&self, news: &[Change]) {
        for change in news {
            if let News::ProfileUpdated { user } = change.news {
                let mut changes = self.changes();
                *changes += 1;
                self.cache.remove(&user);
            }
        }
    }
}
