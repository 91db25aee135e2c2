//! Pages of a list: what a client asks for, what it gets, and the cursors between.
//!
//! A cursor is opaque, and bound to the list and order that it was made for.

use data_encoding::BASE64URL_NOPAD;

use super::Limits;

/// Why a page is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPage {
    /// Both ends at once.
    #[error("give `first` or `last`, not both")]
    BothEnds,
    /// No such number of items.
    #[error("`{argument}` must be 1 to {max}")]
    Size {
        /// `first` or `last`.
        argument: &'static str,
        /// Most items.
        max: u32,
    },
    /// Not a cursor of this list.
    #[error("`{argument}` is not a cursor of this list")]
    Cursor {
        /// `after` or `before`.
        argument: &'static str,
    },
}

/// The place of an item in a list's order, as a cursor carries it.
pub trait Key: Sized {
    /// One letter for list and order; a cursor of another list is refused by it.
    const LIST: u8;
    /// As bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// From these bytes; none when they are not such a place.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// The cursor of a place.
pub fn cursor<K: Key>(key: &K) -> String {
    let mut bytes = vec![K::LIST];
    bytes.extend(key.to_bytes());
    BASE64URL_NOPAD.encode(&bytes)
}

fn read_cursor<K: Key>(text: &str, argument: &'static str) -> Result<K, InvalidPage> {
    let read = || {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (list, key) = bytes.split_first()?;
        if *list == K::LIST {
            K::from_bytes(key)
        } else {
            None
        }
    };
    read().ok_or(InvalidPage::Cursor { argument })
}

/// What a client may say about a page.
#[derive(Debug, Clone, Default)]
pub struct PageArguments {
    /// Items after this cursor.
    pub after: Option<String>,
    /// Items before this cursor.
    pub before: Option<String>,
    /// So many from the front.
    pub first: Option<i32>,
    /// So many from the back.
    pub last: Option<i32>,
}

/// A page that makes sense: so many items from one end of the list between two places.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest<K> {
    /// Only items after this place.
    pub after: Option<K>,
    /// Only items before this place.
    pub before: Option<K>,
    /// How many.
    pub items: u32,
    /// Whether they are counted from the back.
    pub from_back: bool,
}

impl<K: Key> PageRequest<K> {
    /// Checks what a client said.
    pub fn parse(arguments: &PageArguments, limits: &Limits) -> Result<Self, InvalidPage> {
        let max = limits.page_items_max;
        let size = |value: i32, argument| match u32::try_from(value) {
            Ok(items) if (1..=max).contains(&items) => Ok(items),
            _ => Err(InvalidPage::Size { argument, max }),
        };
        let (items, from_back) = match (arguments.first, arguments.last) {
            (Some(_), Some(_)) => return Err(InvalidPage::BothEnds),
            (Some(first), None) => (size(first, "first")?, false),
            (None, Some(last)) => (size(last, "last")?, true),
            (None, None) => (limits.page_items_default, false),
        };
        let place = |text: &Option<String>, argument| {
            text.as_deref()
                .map(|t| read_cursor(t, argument))
                .transpose()
        };
        Ok(Self {
            after: place(&arguments.after, "after")?,
            before: place(&arguments.before, "before")?,
            items,
            from_back,
        })
    }
}

/// Some items of a list, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether items follow.
    pub has_next: bool,
    /// Whether items precede.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// A page from rows read from the end that is asked for, one more than asked for when there are more. A request that
    /// began at a cursor has something behind it.
    pub fn from_rows<K>(mut rows: Vec<T>, request: &PageRequest<K>) -> Self {
        let more = rows.len() > request.items as usize;
        rows.truncate(request.items as usize);
        if request.from_back {
            rows.reverse();
            Self {
                items: rows,
                has_next: request.before.is_some(),
                has_previous: more,
            }
        } else {
            Self {
                items: rows,
                has_next: more,
                has_previous: request.after.is_some(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Place(i32);
    impl Key for Place {
        const LIST: u8 = b't';
        fn to_bytes(&self) -> Vec<u8> {
            self.0.to_be_bytes().to_vec()
        }
        fn from_bytes(bytes: &[u8]) -> Option<Self> {
            Some(Self(i32::from_be_bytes(bytes.try_into().ok()?)))
        }
    }

    fn parse(arguments: &PageArguments) -> Result<PageRequest<Place>, InvalidPage> {
        PageRequest::parse(arguments, &Limits::default())
    }

    #[test]
    fn sizes_that_are_not_1_to_100_are_refused() {
        for (first, last) in [
            (Some(0), None),
            (Some(-1), None),
            (Some(101), None),
            (None, Some(i32::MIN)),
        ] {
            let refused = parse(&PageArguments {
                first,
                last,
                ..PageArguments::default()
            });
            assert!(
                matches!(refused, Err(InvalidPage::Size { max: 100, .. })),
                "{first:?} {last:?}"
            );
        }
        let both = PageArguments {
            first: Some(1),
            last: Some(1),
            ..PageArguments::default()
        };
        assert_eq!(parse(&both), Err(InvalidPage::BothEnds));
        assert_eq!(parse(&PageArguments::default()).map(|p| p.items), Ok(20));
    }

    #[test]
    fn a_cursor_of_another_list_or_a_broken_one_is_refused() {
        let good = cursor(&Place(7));
        let place = |after: &str| {
            parse(&PageArguments {
                after: Some(after.to_owned()),
                ..PageArguments::default()
            })
        };
        assert_eq!(place(&good).map(|p| p.after), Ok(Some(Place(7))));
        let other = BASE64URL_NOPAD.encode(b"u\0\0\0\x07");
        for broken in ["", "!", "AAAA", &good[..good.len() - 1], &other] {
            assert_eq!(
                place(broken),
                Err(InvalidPage::Cursor { argument: "after" }),
                "{broken}"
            );
        }
    }
}
