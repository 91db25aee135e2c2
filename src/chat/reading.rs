//! Who has read what. Nothing is stored a message: a member has read everything up to their mark.

use std::collections::HashMap;

use super::{Chat, Error};
use crate::model::{
    ConversationId, Membership, Message, PageRequest, UserId, membership::MembersWanted,
    page::PageArguments,
};

impl Chat {
    /// The memberships of these people in conversations that the viewer may see: a message is read by those whose mark
    /// is at its number or beyond.
    pub async fn memberships(
        &self,
        places: &[(ConversationId, UserId)],
    ) -> Result<HashMap<(ConversationId, UserId), Membership>, Error> {
        let found = self.store.find_memberships(places).await?;
        let by_place = |found: Membership| ((found.conversation, found.user), found);
        Ok(found.into_iter().map(by_place).collect())
    }

    /// What a page of those is who have read a message, its sender left out, by when they joined.
    pub fn readers_wanted(
        &self,
        message: &Message,
        page: &PageArguments,
    ) -> Result<MembersWanted, Error> {
        Ok(MembersWanted {
            conversation: message.conversation,
            roles: Vec::new(),
            readers_of: Some((message.seq, message.sender)),
            page: PageRequest::parse(page, &self.limits)?,
        })
    }
}
