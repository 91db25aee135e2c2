//! A piece of news on its way to listeners, with what has been made of it so far.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::model::{Change, News};

/// Different forms of one piece of news that are kept; listeners who want yet another make their own.
const RENDERINGS_MAX: usize = 8;

/// A longer form is made anew for each listener: kept ones are bounded with the tail that holds them.
const RENDERING_BYTES_MAX: usize = 16 * 1024;

/// Names a form in which news is told. Equal names mean equal bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rendering(pub [u8; 16]);

/// What was made of a piece of news so far, for the others who hear of it.
#[derive(Debug, Default)]
pub struct Rendered(Mutex<Vec<(Rendering, Bytes)>>);

/// A change, shared by everybody who hears of it.
#[derive(Debug)]
pub struct Item {
    /// What happened.
    pub change: Change,
    /// What was made of it.
    pub rendered: Rendered,
}

impl Item {
    /// News that nobody has made anything of.
    pub fn new(change: Change) -> Self {
        Self {
            change,
            rendered: Rendered::default(),
        }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let text = if let News::MessageSent(message) = &self.change.news {
            message.text.len()
        } else {
            0
        };
        size_of::<Self>() + text
    }
}

impl Rendered {
    /// The bytes that another listener made of it in this form.
    pub fn find(&self, form: Rendering) -> Option<Bytes> {
        let rendered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rendered
            .iter()
            .find(|(other, _)| *other == form)
            .map(|(_, bytes)| bytes.clone())
    }

    /// Keeps bytes for the next listener.
    pub fn keep(&self, form: Rendering, bytes: Bytes) {
        let mut rendered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rendered.len() < RENDERINGS_MAX && bytes.len() <= RENDERING_BYTES_MAX {
            rendered.push((form, bytes));
        }
    }
}
