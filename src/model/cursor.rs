//! How far somebody has heard, as a client keeps it.
//!
//! A version, the epoch, the position in every shard, and a checksum; base64url. It says nothing of who holds it: with
//! somebody else's cursor one hears what one may hear oneself. Whoever makes one up gains nothing either, so the
//! checksum is against accidents only.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::{Heads, Position};

const VERSION: u8 = 1;
const EPOCH_BYTES: usize = 8;
const CHECKSUM_BYTES: usize = 4;

/// The life of one history: a database that was restored or copied begins another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(pub [u8; 16]);

/// The text is not a cursor of this history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a cursor of this history")]
pub struct InvalidCursor;

/// A place in the log: everything up to these positions was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub Heads);

impl Cursor {
    /// As clients keep it: 23 characters where there is one shard and it is young.
    pub fn write(&self, epoch: Epoch) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(&epoch.0[..EPOCH_BYTES]);
        for position in self.0.iter() {
            write_number(&mut bytes, position.unsigned_abs());
        }
        bytes.extend(checksum(&bytes));
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Reads one of this epoch that lies at or before `heads`.
    pub fn read(text: &str, epoch: Epoch, heads: &Heads) -> Result<Self, InvalidCursor> {
        let read = || {
            let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
            let (content, sum) =
                bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
            let numbers = content
                .strip_prefix(&[VERSION])?
                .strip_prefix(&epoch.0[..EPOCH_BYTES])?;
            (sum == checksum(content)).then_some(())?;
            let positions = read_numbers(numbers, heads.len())?;
            let known = positions
                .iter()
                .zip(heads.iter())
                .all(|(at, head)| at <= head);
            known.then(|| Self(positions.into()))
        };
        read().ok_or(InvalidCursor)
    }
}

fn checksum(content: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash: [u8; 32] = Sha256::digest(content).into();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// Seven bits a byte, the lowest first; the eighth says that more follow (LEB128).
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or(0));
}

/// Exactly `count` numbers.
fn read_numbers(bytes: &[u8], count: usize) -> Option<Vec<Position>> {
    let mut numbers = Vec::with_capacity(count);
    let (mut number, mut bits) = (0_u64, 0);
    for byte in bytes {
        // A position has 63 bits, nine groups of seven.
        if bits >= 63 {
            return None;
        }
        number |= u64::from(byte & 0x7f) << bits;
        bits += 7;
        if byte & 0x80 == 0 {
            numbers.push(Position::try_from(number).ok()?);
            (number, bits) = (0, 0);
        }
    }
    (bits == 0 && numbers.len() == count).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Epoch = Epoch([7; 16]);

    fn heads(positions: &[Position]) -> Heads {
        positions.into()
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for positions in [&[0][..], &[127], &[128], &[i64::MAX], &[1, 0, 300, 7]] {
            let text = Cursor(heads(positions)).write(EPOCH);
            let top = heads(&vec![i64::MAX; positions.len()]);
            assert_eq!(
                Cursor::read(&text, EPOCH, &top),
                Ok(Cursor(heads(positions)))
            );
        }
        assert!(Cursor(heads(&[1_000_000])).write(EPOCH).len() <= 22);
    }

    #[test]
    fn one_of_another_history_or_number_of_shards_or_from_the_future_is_refused() {
        let text = Cursor(heads(&[5])).write(EPOCH);
        assert!(Cursor::read(&text, EPOCH, &heads(&[5])).is_ok());
        assert!(Cursor::read(&text, EPOCH, &heads(&[4])).is_err());
        assert!(Cursor::read(&text, EPOCH, &heads(&[5, 5])).is_err());
        assert!(Cursor::read(&text, Epoch([8; 16]), &heads(&[5])).is_err());
    }

    #[test]
    fn whatever_is_cut_off_or_altered_is_refused() {
        let text = Cursor(heads(&[123_456])).write(EPOCH);
        let top = heads(&[i64::MAX]);
        for end in 0..text.len() {
            assert!(Cursor::read(&text[..end], EPOCH, &top).is_err());
        }
        for place in 0..text.len() {
            for letter in ["A", "b", "_", "7", "!", "ü"] {
                let altered = format!("{}{letter}{}", &text[..place], &text[place + 1..]);
                let same = altered == text;
                assert_eq!(
                    Cursor::read(&altered, EPOCH, &top).is_ok(),
                    same,
                    "{altered}"
                );
            }
        }
    }
}
