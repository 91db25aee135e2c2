//! People as they are now, in memory: every message names its sender, and senders hardly change.
//!
//! Exact, not nearly so: the writer takes a profile out when it has committed a change of it and before it answers, so
//! whoever was told of a change never reads what was before it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

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
    /// not kept.
    changes: AtomicU64,
}

impl Profiles {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            cache: Cache::new(PROFILES_MAX),
            changes: AtomicU64::new(0),
        }
    }

    /// A person as they are now.
    pub async fn find(&self, id: UserId) -> Result<Option<Arc<User>>, Error> {
        if let Some(user) = self.cache.get(&id) {
            return Ok(Some(user));
        }
        let before = self.changes.load(Ordering::SeqCst);
        let Some(user) = self.store.find_user(id).await?.map(Arc::new) else {
            return Ok(None);
        };
        self.cache.insert(id, Arc::clone(&user));
        if self.changes.load(Ordering::SeqCst) != before {
            self.cache.remove(&id);
        }
        Ok(Some(user))
    }

    pub(super) fn forget_changed(&self, changes: &[Change]) {
        for change in changes {
            if let News::ProfileUpdated { user } = change.news {
                self.changes.fetch_add(1, Ordering::SeqCst);
                self.cache.remove(&user);
            }
        }
    }
}
