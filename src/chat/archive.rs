//! Putting conversations away: archiving, taking them out again, deleting.

use super::{Chat, Error, Rejection, Viewer, input::id, place::allowed};
use crate::{
    log::{Batch, Needs, Write},
    model::{Action, Conversation, ConversationId, Id, UserId},
};

impl Chat {
    /// Archives a conversation for everybody, or takes it out of the archive. What is so already stays so.
    pub async fn archive_conversation(
        &self,
        viewer: Viewer,
        conversation_id: &str,
        archived: bool,
    ) -> Result<Conversation, Error> {
        let conversation = id("conversationId", conversation_id)?;
        let user = viewer.user;
        let write = ArchivingConversation {
            conversation,
            user,
            archived,
        };
        Ok(self.log.write(write).await?)
    }

    /// Deletes a conversation and its messages for everybody.
    pub async fn delete_conversation(
        &self,
        viewer: Viewer,
        conversation_id: &str,
    ) -> Result<ConversationId, Error> {
        let conversation = id("conversationId", conversation_id)?;
        let user = viewer.user;
        Ok(self
            .log
            .write(DeletingConversation { conversation, user })
            .await?)
    }
}

struct ArchivingConversation {
    conversation: ConversationId,
    user: UserId,
    archived: bool,
}

impl Write for ArchivingConversation {
    type Outcome = Conversation;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.user);
    }

    fn decide(&self, batch: &mut Batch) -> Result<Conversation, Rejection> {
        let (before, _) = allowed(batch, self.conversation, self.user, Action::Archive)?;
        if before.archived_at.is_some() != self.archived {
            let archived_at = self.archived.then(|| batch.at());
            batch.update_conversation(Conversation {
                archived_at,
                ..before.clone()
            });
        }
        let after = batch.conversation(self.conversation);
        after.cloned().ok_or_else(Rejection::no_conversation)
    }
}

struct DeletingConversation {
    conversation: ConversationId,
    user: UserId,
}

impl Write for DeletingConversation {
    type Outcome = ConversationId;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.user);
    }

    fn decide(&self, batch: &mut Batch) -> Result<ConversationId, Rejection> {
        allowed(batch, self.conversation, self.user, Action::Delete)?;
        batch.delete_conversation(self.conversation);
        Ok(self.conversation)
    }
}
