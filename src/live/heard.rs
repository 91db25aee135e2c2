//! What a listener may follow, whatever it is, and what it hears.

use std::sync::Arc;

use super::{
    Broken, EventFeed, Frame, Item, MessageFeed, PresenceFeed, Rendered, Typing, TypingFeed,
};
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
    Typing(ConversationId, Typing),
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
                now.map(|(conversation, typing)| Heard::Typing(conversation, typing))
            }
            Self::Presence(feed) => {
                let now = feed.next().await;
                now.map(|(user, is_present)| Heard::Presence(user, is_present))
            }
        })
    }
}

impl Heard {
    /// What was made of it for others, if all who hear it and select the same are told the same.
    pub fn common(&self) -> Option<&Rendered> {
        match self {
            Self::News(item) => Some(&item.rendered),
            Self::Frame(frame) => Some(&frame.common()?.rendered),
            Self::Typing(_, typing) => typing.common.as_deref(),
            Self::Presence(..) => None,
        }
    }
}
