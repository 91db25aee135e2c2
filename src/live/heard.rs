//! What a listener may follow, whatever it is, and what it hears.

use std::sync::Arc;

use super::{Item, MessageFeed, PresenceFeed, Typer, TypingFeed};
use crate::{
    model::{ConversationId, UserId},
    store::Error,
};

/// Something that is followed.
pub enum Feed {
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
    /// A change that was committed.
    News(Arc<Item>),
    /// Who types in a conversation now, the listener left out.
    Typing(ConversationId, Vec<Typer>),
    /// Whether somebody is there now.
    Presence(UserId, bool),
}

impl Feed {
    /// The next thing; none when nothing of it may be heard any longer.
    pub async fn next(&mut self) -> Result<Option<Heard>, Error> {
        Ok(match self {
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
