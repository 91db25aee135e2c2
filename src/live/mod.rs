//! NEWS: who listens on this node, and what they are told. Knows no GraphQL and no socket.

mod feed;
mod hub;
mod item;
mod tail;

pub use feed::{MessageFeed, Start, Unopened};
pub use hub::{Hub, SessionWatch};
pub use item::{Item, Rendering};
