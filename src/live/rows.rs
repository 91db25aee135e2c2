//! What one read of the log found.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::Item;
use crate::model::{Change, ConversationId, News, Position, UserId};

/// What a read found, and up to which position it is all there is.
pub(super) struct Rows {
    pub(super) until: Position,
    pub(super) conversations: HashMap<ConversationId, Vec<Arc<Item>>>,
    taken: HashSet<Position>,
    pub(super) about: HashMap<UserId, Vec<Arc<Item>>>,
    pub(super) deleted: HashMap<UserId, Vec<Arc<Item>>>,
    pub(super) profiles: HashMap<UserId, Arc<Item>>,
}

impl Rows {
    pub(super) fn new(until: Position) -> Self {
        Self {
            until,
            conversations: HashMap::new(),
            taken: HashSet::new(),
            about: HashMap::new(),
            deleted: HashMap::new(),
            profiles: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, conversation: ConversationId, changes: Vec<Change>, each: u64) {
        if changes.len() as u64 == each
            && let Some(last) = changes.last()
        {
            self.until = self.until.min(last.position);
        }
        let items = self.conversations.entry(conversation).or_default();
        for change in changes {
            self.taken.insert(change.position);
            items.push(Arc::new(Item::new(change)));
        }
    }

    /// A mark that moved with a message or a joining is told by that.
    pub(super) fn add_mark(&mut self, change: Change) {
        if let Some(conversation) = change.news.conversation()
            && !self.taken.contains(&change.position)
        {
            let items = self.conversations.entry(conversation).or_default();
            items.push(Arc::new(Item::new(change)));
        }
    }

    pub(super) fn add_about(&mut self, mut changes: Vec<Change>, until: Position) {
        self.until = self.until.min(until);
        // Of these the newest is told, to all alike.
        changes.retain(|change| !matches!(change.news, News::ProfileUpdated { .. }));
        for change in changes {
            let (one, other) = change.news.concerns();
            let item = Arc::new(Item::new(change));
            for user in [one, other].into_iter().flatten() {
                self.about.entry(user).or_default().push(Arc::clone(&item));
            }
        }
    }

    /// Of each the newest.
    pub(super) fn add_profiles(&mut self, changes: Vec<Change>, until: Position) {
        self.until = self.until.min(until);
        for change in changes {
            if let News::ProfileUpdated { user } = change.news {
                self.profiles.insert(user, Arc::new(Item::new(change)));
            }
        }
    }
}
