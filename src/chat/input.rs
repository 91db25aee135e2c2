//! What clients send, checked before anything else happens: every value at once, so that one answer names all faults.

use std::{collections::HashSet, fmt::Display, hash::Hash, str::FromStr};

use super::{Error, Reason, Rejection};

/// A field of a partial change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patch<T> {
    /// Left out: stays as it is.
    Keep,
    /// Null: taken away, where it can be.
    Clear,
    /// Another value.
    Set(T),
}

impl<T: Clone> Patch<T> {
    /// Changes a value that can be taken away.
    pub(super) fn apply(&self, value: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *value = None,
            Self::Set(new) => *value = Some(new.clone()),
        }
    }
}

impl Patch<String> {
    /// The same, borrowed.
    pub(super) fn as_deref(&self) -> Patch<&str> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(text) => Patch::Set(text),
        }
    }
}

/// Gathers what is wrong with an input.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<Rejection>);

impl Checks {
    /// The value, if it is good.
    pub(super) fn value<T>(&mut self, field: &str, parsed: Result<T, impl Display>) -> Option<T> {
        parsed
            .map_err(|invalid| self.reject(field, format!("`{field}` {invalid}")))
            .ok()
    }

    /// The value, if one is given and good.
    pub(super) fn optional<T, E: Display>(
        &mut self,
        field: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        text.and_then(|text| self.value(field, parse(text)))
    }

    /// A change of a value that cannot be taken away.
    pub(super) fn patch<T, E: Display>(
        &mut self,
        field: &str,
        patch: Patch<&str>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match patch {
            Patch::Keep => None,
            Patch::Clear => {
                self.reject(
                    field,
                    format!("`{field}` cannot be null; leave it out to keep it"),
                );
                None
            }
            Patch::Set(text) => self.value(field, parse(text)),
        }
    }

    /// A change of a value that can be taken away.
    pub(super) fn nullable_patch<T, E: Display>(
        &mut self,
        field: &str,
        patch: Patch<&str>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Patch<T> {
        match patch {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(text) => self
                .value(field, parse(text))
                .map_or(Patch::Keep, Patch::Set),
        }
    }

    pub(super) fn reject(&mut self, field: &str, message: String) {
        self.0
            .push(Rejection::at(field, Reason::InvalidInput, message));
    }

    /// Goes on with the values that are needed, only if everything is good.
    pub(super) fn done<T>(self, values: Option<T>) -> Result<T, Error> {
        values
            .filter(|_| self.0.is_empty())
            .ok_or(Error::Refused(self.0))
    }
}

/// An identifier in an input. One of another type, or none at all, is told like one of something that is not there.
pub(super) fn id<I: FromStr>(field: &str, text: &str) -> Result<I, Rejection> {
    text.parse().map_err(|_| {
        Rejection::at(
            field,
            Reason::NotFound,
            format!("`{field}` names nothing that is there"),
        )
    })
}

/// The same for a list of them.
pub(super) fn ids<I: FromStr>(field: &str, texts: &[String]) -> Result<Vec<I>, Rejection> {
    let parse =
        |(index, text): (usize, &String)| text.parse().map_err(|_| no_such_item(field, index));
    texts.iter().enumerate().map(parse).collect()
}

/// Those of a list that are identifiers, each once, in its order.
pub(super) fn each_once<I: FromStr + Copy + Eq + Hash>(texts: &[String]) -> Vec<I> {
    let mut named = HashSet::new();
    let parsed = texts.iter().filter_map(|text| text.parse().ok());
    parsed.filter(|id| named.insert(*id)).collect()
}

/// An item of a list names nobody.
pub(super) fn no_such_item(field: &str, index: usize) -> Rejection {
    let message = format!("item {index} of `{field}` names nothing that is there");
    Rejection::at_item(field, index, Reason::NotFound, message)
}

/// An item of a list names somebody who is no friend.
pub(super) fn not_a_friend(field: &str, index: usize) -> Rejection {
    let message = format!("item {index} of `{field}` names somebody who is not your friend");
    Rejection::at_item(field, index, Reason::NotFriends, message)
}
