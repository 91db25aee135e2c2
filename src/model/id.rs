//! Identifiers: typed, opaque to clients, never reused.
//!
//! Outside they have the form of a [TypeID](https://github.com/jetify-com/typeid): a word, an underscore and 26
//! characters of Crockford's base 32 for a UUIDv7. A message is its place in its conversation and needs no identifier
//! (nor an index) of its own: its 33 characters are the conversation's 26 and 7 for its number.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use super::{Epoch, Position, Random, Shard, Timestamp};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const UUID_DIGITS: usize = 26;
const SEQ_DIGITS: usize = 7;

/// The text is not an identifier, or is one of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an identifier of this type")]
pub struct InvalidId;

/// What each byte is worth as a digit; [`NO_DIGIT`] if it is none.
const WORTH: [u8; 256] = {
    let mut worth = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 32 {
        worth[ALPHABET[digit as usize] as usize] = digit;
        digit += 1;
    }
    worth
};
const NO_DIGIT: u8 = 32;

/// The longest identifier, and some.
const TEXT_MAX: usize = 64;

/// Writes a word and some numbers, each with so many digits, in one piece: in several the text would be moved as it grows.
fn write_text(f: &mut fmt::Formatter<'_>, word: &str, numbers: &[(u128, usize)]) -> fmt::Result {
    let mut text = [0; TEXT_MAX];
    let mut end = word.len();
    text[..end].copy_from_slice(word.as_bytes());
    for (number, digits) in numbers {
        let (mut left, begin) = (*number, end);
        end += digits;
        for digit in text[begin..end].iter_mut().rev() {
            *digit = ALPHABET[usize::try_from(left & 31).unwrap_or(0)];
            left >>= 5;
        }
    }
    f.write_str(std::str::from_utf8(&text[..end]).map_err(|_| fmt::Error)?)
}

fn read_digits(text: &str) -> Result<u128, InvalidId> {
    text.bytes().try_fold(0u128, |value, byte| {
        let digit = WORTH[usize::from(byte)];
        if digit == NO_DIGIT {
            return Err(InvalidId);
        }
        let shifted = value.checked_mul(32).ok_or(InvalidId)?;
        Ok(shifted | u128::from(digit))
    })
}

fn read_uuid(text: &str) -> Result<Uuid, InvalidId> {
    if text.len() == UUID_DIGITS {
        read_digits(text).map(Uuid::from_u128)
    } else {
        Err(InvalidId)
    }
}

/// What every identifier over a UUID can do.
pub trait Id: Copy + Eq + std::hash::Hash + fmt::Display + FromStr<Err = InvalidId> {
    /// Takes a stored value.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The stored value.
    fn uuid(self) -> Uuid;

    /// A new identifier whose last byte, and so its shard, is `last_byte`.
    fn new(at: Timestamp, random: &Random, last_byte: u8) -> Self {
        let mut tail = random.bytes::<10>();
        tail[9] = last_byte;
        let millis = u64::try_from(at.millis()).unwrap_or(0);
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid())
    }

    /// The byte that says in which shard this lies.
    fn last_byte(self) -> u8 {
        self.uuid().as_bytes()[15]
    }

    /// The shard that this lies in, of `shards` (a power of two).
    fn shard(self, shards: u16) -> Shard {
        u16::from(self.last_byte()) % shards
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl Id for $name {
            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_text(f, concat!($prefix, "_"), &[(self.0.as_u128(), UUID_DIGITS)])
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let digits = text.strip_prefix(concat!($prefix, "_")).ok_or(InvalidId)?;
                read_uuid(digits).map(Self)
            }
        }
    )*};
}

ids! {
    /// A person.
    UserId = "user";
    /// A signed-in device.
    SessionId = "session";
    /// A conversation.
    ConversationId = "conversation";
    /// One joining of one person in one conversation.
    MembershipId = "membership";
    /// A request to become friends.
    FriendRequestId = "friendrequest";
    /// Two people who agreed.
    FriendshipId = "friendship";
    /// One person's wish to hear nothing from another.
    BlockId = "block";
}

/// A message: its conversation and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId {
    /// The conversation it was said in.
    pub conversation: ConversationId,
    /// Its number there, from 1.
    pub seq: i32,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conversation = (self.conversation.0.as_u128(), UUID_DIGITS);
        let seq = (u128::try_from(self.seq).unwrap_or(0), SEQ_DIGITS);
        write_text(f, "message_", &[conversation, seq])
    }
}

impl FromStr for MessageId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.strip_prefix("message_").ok_or(InvalidId)?;
        let (conversation, seq) = digits.split_at_checked(UUID_DIGITS).ok_or(InvalidId)?;
        if seq.len() != SEQ_DIGITS {
            return Err(InvalidId);
        }
        Ok(Self {
            conversation: ConversationId(read_uuid(conversation)?),
            seq: i32::try_from(read_digits(seq)?).map_err(|_| InvalidId)?,
        })
    }
}

/// Any identifier that `node` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeId {
    /// `user_…`
    User(UserId),
    /// `viewer_…`: what only this user sees of themself.
    Viewer(UserId),
    /// `session_…`
    Session(SessionId),
    /// `conversation_…`
    Conversation(ConversationId),
    /// `membership_…`
    Membership(MembershipId),
    /// `message_…`
    Message(MessageId),
    /// `friendrequest_…`
    FriendRequest(FriendRequestId),
    /// `friendship_…`: as the viewer sees it.
    Friendship(FriendshipId),
    /// `block_…`
    Block(BlockId),
}

impl NodeId {
    /// The identifier of a viewer, which has no row of its own.
    pub fn viewer_text(user: UserId) -> String {
        user.to_string().replacen("user_", "viewer_", 1)
    }

    /// The identifier of somebody's presence, which is for caches and leads nowhere.
    pub fn presence_text(user: UserId) -> String {
        user.to_string().replacen("user_", "presence_", 1)
    }
}

impl FromStr for NodeId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once('_').ok_or(InvalidId)? {
            ("user", _) => text.parse().map(Self::User),
            ("viewer", digits) => read_uuid(digits).map(|uuid| Self::Viewer(UserId(uuid))),
            ("session", _) => text.parse().map(Self::Session),
            ("conversation", _) => text.parse().map(Self::Conversation),
            ("membership", _) => text.parse().map(Self::Membership),
            ("message", _) => text.parse().map(Self::Message),
            ("friendrequest", _) => text.parse().map(Self::FriendRequest),
            ("friendship", _) => text.parse().map(Self::Friendship),
            ("block", _) => text.parse().map(Self::Block),
            _ => Err(InvalidId),
        }
    }
}

/// Something that happened, as one person hears of it. The history that it is of is part of it: where that was lost and
/// another begun, the same place is another event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventId {
    /// Of which history.
    pub epoch: Epoch,
    /// In which shard of the log.
    pub shard: Shard,
    /// Where there.
    pub position: Position,
    /// Which of what one change is to one person.
    pub part: u8,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of the epoch 40 bits; with 16, 64 and 8 for the rest that makes 128.
        let epoch = u128::from_be_bytes(self.epoch.0) << 88;
        let place = u128::from(self.shard) << 64 | u128::from(self.position.unsigned_abs());
        let digits = epoch | place << 8 | u128::from(self.part);
        write_text(f, "event_", &[(digits, UUID_DIGITS)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation() -> ConversationId {
        ConversationId::new(
            Timestamp::from_millis(1_700_000_000_000),
            &Random::seeded(7),
            9,
        )
    }

    #[test]
    fn an_identifier_reads_back_as_it_was_written() {
        let id = conversation();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.last_byte(), 9);
        assert_eq!(id.shard(4), 1);
        for seq in [1, 2, i32::MAX] {
            let id = MessageId {
                conversation: id,
                seq,
            };
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(id.to_string().parse(), Ok(NodeId::Message(id)));
        }
    }

    #[test]
    fn other_types_and_broken_texts_are_refused() {
        let text = conversation().to_string();
        assert_eq!(text.parse::<UserId>(), Err(InvalidId));
        let digits = text.trim_start_matches("conversation_");
        let too_large = format!("user_{}", "z".repeat(26));
        let wrong = format!("user_{}", digits.to_uppercase());
        let message = format!("message_{digits}zzzzzzz");
        for broken in [
            "",
            "user",
            "user_",
            "user_0",
            "alien_0",
            "user_é",
            "message_é",
            &too_large,
            &wrong,
            &message,
        ] {
            assert_eq!(broken.parse::<NodeId>(), Err(InvalidId), "{broken}");
        }
    }
}
