//! NEWS: who listens on this node, and what they are told. Knows no GraphQL and no socket.

mod board;
mod feed;
mod heard;
mod hub;
mod item;
mod presence;
mod signals;
mod tail;
mod typing;
mod watch;

pub use board::State;
pub use feed::{MessageFeed, Start, Unopened};
pub use heard::{Feed, Heard};
pub use hub::{Hub, SessionWatch};
pub use item::{Item, Rendering};
pub use presence::{PresenceClaim, PresenceFeed};
pub use typing::{Typer, TypingFeed, TypingSignal};
pub use watch::Watch;
