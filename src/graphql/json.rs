//! Responses as bytes.
//!
//! What can be read at once is written as it is read (see [`super::plain`]); the library carries it along as
//! [`Value::Binary`], which no type of ours has otherwise, and here it goes into the response as it is. The library's own
//! values find each name by its hash: to make them of a page, look through them and drop them takes nearly three times as long.

use std::{fmt, io::Write as _, mem};

use async_graphql::{Name, ServerError, Value};
use bytes::Bytes;
use serde::Serialize;

/// Bytes that a response of one thing seldom exceeds.
const THING: usize = 256;

/// Bytes that are made room for at once at most.
const ROOM_MAX: usize = 64 * 1024;

/// JSON that is being written. What writes says none when it cannot, and then all of it is of no use.
pub(super) struct Json<'a> {
    bytes: Vec<u8>,
    /// Keys of the objects that are being written, one object's behind those of the one around it.
    keys: Vec<&'a Name>,
    /// Where the keys of the innermost begin.
    begin: usize,
}

impl<'a> Json<'a> {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(THING),
            keys: Vec::new(),
            begin: 0,
        }
    }

    /// All of it, once it is written.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes what serde knows how to.
    pub(super) fn value(&mut self, value: &impl Serialize) -> Option<()> {
        serde_json::to_writer(&mut self.bytes, value).ok()
    }

    /// Writes a text.
    pub(super) fn text(&mut self, text: &str) -> Option<()> {
        let is_special = |byte| matches!(byte, 0..0x20 | b'"' | b'\\');
        // Without a way out of it, sixteen letters are looked at together.
        let has_special = text
            .bytes()
            .fold(false, |found, byte| found | is_special(byte));
        if has_special {
            return self.value(&text);
        }
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(b'"');
        Some(())
    }

    /// Writes something whose text has nothing to escape: an identifier, a time.
    pub(super) fn shown(&mut self, what: impl fmt::Display) -> Option<()> {
        write!(self.bytes, "\"{what}\"").ok()
    }

    /// Writes a list.
    pub(super) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut Self) -> Option<()>,
    ) -> Option<()> {
        self.bytes.push(b'[');
        let mut items = items.into_iter();
        if let Some(first) = items.next() {
            let begin = self.bytes.len();
            write(first, self)?;
            // Items are much alike, but a long one may be the first of many short ones.
            let room = (self.bytes.len() - begin + 1).saturating_mul(items.size_hint().0);
            self.bytes.reserve(room.min(ROOM_MAX));
        }
        for item in items {
            self.bytes.push(b',');
            write(item, self)?;
        }
        self.bytes.push(b']');
        Some(())
    }

    /// Writes an object.
    pub(super) fn object(&mut self, write: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        let around = mem::replace(&mut self.begin, self.keys.len());
        self.bytes.push(b'{');
        write(self)?;
        self.bytes.push(b'}');
        self.keys.truncate(self.begin);
        self.begin = around;
        Some(())
    }

    /// Whether the object that is being written has this key.
    pub(super) fn has(&self, key: &Name) -> bool {
        // Keys are few: a request has a hundred aliases at most.
        let keys = self.keys.get(self.begin..).unwrap_or_default();
        keys.contains(&key)
    }

    /// Writes a key of an object; its value is next.
    pub(super) fn key(&mut self, key: &'a Name) {
        if self.keys.len() > self.begin {
            self.bytes.push(b',');
        }
        self.keys.push(key);
        write_key(key, &mut self.bytes);
    }
}

/// A name has letters, digits and underscores only.
fn write_key(key: &str, to: &mut Vec<u8>) {
    to.push(b'"');
    to.extend_from_slice(key.as_bytes());
    to.extend_from_slice(b"\":");
}

/// A response: `errors` and `data`, each left out when there is none.
pub(super) fn response(errors: &[ServerError], data: Option<&Value>) -> Bytes {
    let write = || {
        let mut to = Vec::with_capacity(data.map_or(THING, room));
        to.push(b'{');
        if !errors.is_empty() {
            write_key("errors", &mut to);
            serde_json::to_writer(&mut to, errors).ok()?;
        }
        if let Some(data) = data {
            if !errors.is_empty() {
                to.push(b',');
            }
            write_key("data", &mut to);
            write_value(data, &mut to)?;
        }
        to.push(b'}');
        Some(to)
    };
    write().map_or(Bytes::from_static(b"{\"data\":null}"), Bytes::from)
}

/// A response of one field, without errors.
pub(super) fn response_of_field(key: &Name, value: &Value) -> Option<Bytes> {
    let mut to = Vec::with_capacity(room(value));
    to.extend_from_slice(b"{\"data\":{");
    write_key(key, &mut to);
    write_value(value, &mut to)?;
    to.extend_from_slice(b"}}");
    Some(to.into())
}

/// What it takes to write a value, about, with what is around it.
fn room(value: &Value) -> usize {
    match value {
        Value::Binary(json) => json.len() + 32,
        Value::Object(fields) => 32 + fields.values().map(room).sum::<usize>(),
        Value::Null
        | Value::Number(_)
        | Value::String(_)
        | Value::Boolean(_)
        | Value::Enum(_)
        | Value::List(_) => THING,
    }
}

/// Writes one of the library's values.
fn write_value(value: &Value, to: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Binary(json) => to.extend_from_slice(json),
        Value::List(items) => {
            to.push(b'[');
            for (nth, item) in items.iter().enumerate() {
                if nth > 0 {
                    to.push(b',');
                }
                write_value(item, to)?;
            }
            to.push(b']');
        }
        Value::Object(fields) => {
            to.push(b'{');
            for (nth, (key, value)) in fields.iter().enumerate() {
                if nth > 0 {
                    to.push(b',');
                }
                write_key(key, to);
                write_value(value, to)?;
            }
            to.push(b'}');
        }
        Value::Null | Value::Number(_) | Value::String(_) | Value::Boolean(_) | Value::Enum(_) => {
            serde_json::to_writer(to, value).ok()?;
        }
    }
    Some(())
}
