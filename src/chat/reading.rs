//! Who has read what. Nothing is stored a message: a member has read everything up to their mark.

use super::{Chat, Error, Viewer};
use crate::model::{
    Membership, Message, Page, PageRequest, UserId, membership::MembershipKey, page::PageArguments,
};

impl Chat {
    /// Whether a member has read a message; nothing when they are no member, or the viewer may not see.
    pub async fn has_read(
        &self,
        viewer: Viewer,
        message: &Message,
        member: UserId,
    ) -> Result<Option<bool>, Error> {
        if member != viewer.user && !self.sees(viewer, message).await? {
            return Ok(None);
        }
        let place = self
            .store
            .find_conversation_of(member, message.conversation)
            .await?;
        Ok(place.map(|(_, membership)| message.seq <= membership.read_seq))
    }

    /// The members who have read a message, its sender left out, by when they joined; nothing when the viewer may not
    /// see.
    pub async fn readers(
        &self,
        viewer: Viewer,
        message: &Message,
        page: &PageArguments,
    ) -> Result<Option<Page<Membership>>, Error> {
        let request: PageRequest<MembershipKey> = PageRequest::parse(page, &self.limits)?;
        if !self.sees(viewer, message).await? {
            return Ok(None);
        }
        Ok(Some(self.store.list_readers(message, &request).await?))
    }

    async fn sees(&self, viewer: Viewer, message: &Message) -> Result<bool, Error> {
        let place = self
            .store
            .find_conversation_of(viewer.user, message.conversation)
            .await?;
        Ok(place.is_some())
    }
}
