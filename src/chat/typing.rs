//! Telling others that one is typing, and hearing of it. Never stored.

use super::{
    Chat, Error, Rejection, Viewer,
    input::{each_once, id},
};
use crate::{
    live::{TypingFeed, TypingSignal},
    model::{Action, Conversation, ConversationId},
};

impl Chat {
    /// Says that the viewer is typing, or has stopped. Said too often it counts once in a while only.
    pub async fn set_typing(
        &self,
        viewer: Viewer,
        conversation_id: &str,
        is_typing: bool,
    ) -> Result<Conversation, Error> {
        let conversation: ConversationId = id("conversationId", conversation_id)?;
        // Before anything is read: what ends the right to type after this is known to the hub.
        let read_at = self.heads();
        let place = self.place(viewer, conversation).await?;
        let place = place.ok_or_else(Rejection::no_conversation)?;
        // Who may not write any more may still stop.
        if is_typing {
            place.may(Action::Send).map_err(Rejection::from)?;
        }
        let signal = TypingSignal {
            is_typing,
            pair: place.conversation.pair,
            read_at,
        };
        self.hub.signal_typing(conversation, viewer.user, signal);
        Ok(place.conversation)
    }

    /// Who types in these conversations, those that the viewer may not see left out.
    pub async fn follow_typing(
        &self,
        viewer: Viewer,
        conversation_ids: &[String],
    ) -> Result<TypingFeed, Error> {
        let max = self.limits.typing_conversations_max;
        if conversation_ids.len() > max {
            let message = format!("`conversationIds` must have at most {max} items");
            return Err(Error::BadInput(message));
        }
        let named = each_once(conversation_ids);
        // It watches first and reads afterwards, so that nothing falls between the two.
        let mut feed = self.hub.watch_typing(viewer.user, &named);
        let seen = self.places(viewer, &named).await?;
        feed.admit(&seen.into_keys().collect());
        Ok(feed)
    }
}
