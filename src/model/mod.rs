//! NOUNS: values and pure rules. No I/O, no async, no framework; every other room may use this one.

pub mod change;
pub mod clock;
pub mod conversation;
pub mod cursor;
pub mod friend;
pub mod id;
pub mod limits;
pub mod membership;
pub mod message;
pub mod page;
pub mod random;
pub mod secret;
pub mod session;
pub mod standing;
pub mod text;
pub mod user;

pub use change::{Change, Heads, News, Position, Reach, RemovalReason, Shard, Span};
pub use clock::{Clock, SystemClock, Timestamp};
pub use conversation::{Conversation, ConversationKind, Policy};
pub use cursor::{Cursor, Epoch, InvalidCursor};
pub use friend::{
    Block, FriendRequest, FriendRequestDirection, FriendRequestStatus, Friendship, Pair,
    Relationship,
};
pub use id::{
    BlockId, ConversationId, EventId, FriendRequestId, FriendshipId, Id, InvalidId, MembershipId,
    MessageId, NodeId, SessionId, UserId,
};
pub use limits::Limits;
pub use membership::{Membership, Role};
pub use message::Message;
pub use page::{Page, PageRequest};
pub use random::Random;
pub use secret::{Token, TokenHash};
pub use session::Session;
pub use standing::{Action, Ban, Place, Standing};
pub use text::InvalidText;
pub use user::User;
