//! People as they are now, in memory: every message names its sender, and senders hardly change.
//!
//! Exact, not nearly so: the writer takes a profile out when it has committed a change of it and before it answers, so
//! whoever was told of a change never reads what was before it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

    /// A person as they are now, if they are in memory.
    pub fn known(&self, id: UserId) -> Option<Arc<User>> {
        self.cache.get(&id)
    }

    /// People as they are now, those of them who are there.
    pub async fn find_many(&self, ids: &[UserId]) -> Result<HashMap<UserId, Arc<User>>, Error> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut unknown = Vec::new();
        for id in ids {
            match self.cache.get(id) {
                Some(user) => drop(found.insert(*id, user)),
                None => unknown.push(*id),
            }
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        let before = *self.changes();
        let users = self.store.find_users(&unknown).await?;
        let changes = self.changes();
        for user in users.into_iter().map(Arc::new) {
            if *changes == before {
                self.cache.insert(user.id, Arc::clone(&user));
            }
            found.insert(user.id, user);
        }
        Ok(found)
    }

    pub(super) fn forget_changed(&self, news: &[Change]) {
        for change in news {
            if let News::ProfileUpdated { user } | News::AccountClosed { user } = change.news {
                let mut changes = self.changes();
                *changes += 1;
                self.cache.remove(&user);
            }
        }
    }
}
