//! Who may not come back to a conversation.

use super::{Chat, Error, Reason, Rejection, Viewer, input::id, place::allowed};
use crate::{
    log::{Batch, Needs, Write},
    model::{
        Action, Ban, Conversation, ConversationId, Id, Page, PageRequest, Place, User, UserId,
        friend::NewestKey, page::PageArguments,
    },
};

impl Chat {
    /// Lets a banned person come back.
    pub async fn unban_user(
        &self,
        viewer: Viewer,
        conversation_id: &str,
        user_id: &str,
    ) -> Result<Conversation, Error> {
        let conversation = id("conversationId", conversation_id)?;
        let write = UnbanningUser {
            conversation,
            viewer: viewer.user,
            banned: id("userId", user_id)?,
        };
        Ok(self.log.write(write).await?)
    }

    /// The people who may not come back, the newest ban first; nothing when the viewer may not see it.
    pub async fn bans(
        &self,
        place: &Place,
        page: &PageArguments,
    ) -> Result<Option<Page<(Ban, User)>>, Error> {
        let request: PageRequest<NewestKey> = PageRequest::parse(page, &self.limits)?;
        if place.may(Action::Unban).is_err() {
            return Ok(None);
        }
        let conversation = place.conversation.id;
        Ok(Some(self.store.list_bans(conversation, &request).await?))
    }
}

struct UnbanningUser {
    conversation: ConversationId,
    viewer: UserId,
    banned: UserId,
}

impl Write for UnbanningUser {
    type Outcome = Conversation;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.viewer);
        needs.membership(self.conversation, self.banned);
    }

    fn decide(&self, batch: &mut Batch) -> Result<Conversation, Rejection> {
        let (conversation, _) = allowed(batch, self.conversation, self.viewer, Action::Unban)?;
        let conversation = conversation.clone();
        if !batch.is_banned(self.conversation, self.banned) {
            let message = "this user is not banned here";
            return Err(Rejection::at("userId", Reason::NotFound, message));
        }
        batch.unban(self.conversation, self.banned);
        Ok(conversation)
    }
}
