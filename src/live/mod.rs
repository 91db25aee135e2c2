//! NEWS: who listens on this node, and what they are told. Knows no GraphQL and no socket.

mod audience;
mod board;
mod catch_up;
mod delivery;
mod event_feed;
mod feed;
mod followers;
mod frame;
mod heard;
mod hub;
mod inbox;
mod item;
mod presence;
mod rows;
mod signals;
mod tail;
mod typing;
mod watch;
mod window;

pub use board::State;
pub use catch_up::{Broken, LogReader, Waiting};
pub use event_feed::{Begin, EventFeed};
pub use feed::{MessageFeed, Start, Unopened};
pub use frame::Frame;
pub use heard::{Feed, Heard};
pub use hub::{Hub, SessionWatch};
pub use item::{Item, Rendered, Rendering};
pub use presence::{PresenceClaim, PresenceFeed};
pub use typing::{Typer, Typing, TypingFeed, TypingSignal};
pub use watch::Watch;
