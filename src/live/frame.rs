//! One delivery of a person's stream of events.

use std::sync::Arc;

use super::Item;
use crate::model::{Cursor, Heads};

/// Some of what happened to somebody.
#[derive(Debug)]
pub struct Frame {
    /// By position in their shards.
    pub items: Vec<Arc<Item>>,
    /// The place after them.
    pub cursor: Cursor,
    /// Whether it brings the client up to date.
    pub is_caught_up: bool,
    /// Whether the client is to load everything anew.
    pub is_resync: bool,
    /// Whether everybody who hears this one change gets this very frame.
    is_common: bool,
}

impl Frame {
    /// For one client.
    pub(super) fn own(items: Vec<Arc<Item>>, cursor: Cursor, is_caught_up: bool) -> Self {
        Self {
            items,
            cursor,
            is_caught_up,
            is_resync: false,
            is_common: false,
        }
    }

    /// Tells a client where to begin anew.
    pub(super) fn resync(cursor: Cursor, is_caught_up: bool) -> Self {
        Self {
            is_resync: true,
            ..Self::own(Vec::new(), cursor, is_caught_up)
        }
    }

    /// One change, for everybody who was up to date before it, where the hub stands now.
    pub(super) fn for_all(item: Arc<Item>, heads: Heads) -> Self {
        Self {
            is_common: true,
            ..Self::own(vec![item], Cursor(heads), true)
        }
    }

    /// The change that this frame is, when everybody who hears it gets the same frame.
    pub fn common(&self) -> Option<&Arc<Item>> {
        match self.items.as_slice() {
            [item] if self.is_common => Some(item),
            _ => None,
        }
    }
}
