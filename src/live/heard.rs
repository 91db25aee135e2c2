//! What a listener may follow, whatever it is, and what it hears.

use std::sync::Arc;

use super::{Broken, EventFeed, Frame, Item, MessageFeed, PresenceFeed, Typer, TypingFeed};
use crate::model::{ConversationId, UserId};

/// Something that is followed.
pub enum Feed {
    /// Everything that happens to somebody.
    Events(EventFeed),
    /// The messages of a conversation.
    Messages(MessageFeed),
    /// Who types in some conversations.
    Typing(TypingFeed),
    /// Who of some people is there.
    Presence(PresenceFeed),
}

/// Something that a listener hears.
#[derive(Debug, Clone)]
pub enum Heard {
    /// Some of what happened to the listener.
    Frame(Arc<Frame>),
    /// A change that was committed.
    News(Arc<Item>),
    /// Who types in a conversation now, the listener left out.
    Typing(ConversationId, Vec<Typer>),
    /// Whether somebody is there now.
    Presence(UserId, bool),
}

impl Feed {
    /// The next thing; none when nothing of it may be heard any longer.
    pub async fn next(&mut self) -> Result<Option<Heard>, Broken> {
        Ok(match self {
            Self::Events(feed) => feed.next().await?.map(Heard::Frame),
            Self::Messages(feed) => feed.next().await?.map(Heard::News),
            Self::Typing(feed) => {
                let now = feed.next().await;
                now.map(|(conversation, typers)| Heard::Typing(conversation, typers))
            }
            Self::Presence(feed) => {
                let now = feed.next().await;
                now.map(|(user, is_present)| Heard::Presence(user, is_present))
            }
        })
    }
}

impl Heard {
    /// The change that all listeners of it are told in the same way, where they select the same.
    pub fn common(&self) -> Option<&Arc<Item>> {
        match self {
            Self::News(item) => Some(item),
            Self::Frame(frame) => frame.common(),
            Self::Typing(..) | Self::Presence(..) => None,
        }
    }
}
