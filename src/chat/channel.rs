//! Channels: finding one, and joining it.

use super::{Chat, Error, Reason, Rejection, Viewer, input::id, place::found};
use crate::{
    log::{Batch, Needs, Write},
    model::{
        Action, Conversation, ConversationId, ConversationKind, Id, Membership, MembershipId, Page,
        PageRequest, Role, UserId, conversation::ConversationKey, page::PageArguments,
    },
};

/// Longest text to look for: a title has no more.
const SEARCH_CHARS_MAX: usize = 100;

impl Chat {
    /// Channels that the viewer may join, the one with the newest message first; those whose title has a word that
    /// begins with `search`, unless it is blank.
    pub async fn channels(
        &self,
        viewer: Viewer,
        search: Option<&str>,
        page: &PageArguments,
    ) -> Result<Page<Conversation>, Error> {
        let search = search.map(str::trim).filter(|search| !search.is_empty());
        if search.is_some_and(|search| search.chars().count() > SEARCH_CHARS_MAX) {
            let message = format!("`search` must have at most {SEARCH_CHARS_MAX} characters");
            return Err(Error::BadInput(message));
        }
        let request: PageRequest<ConversationKey> = PageRequest::parse(page, &self.limits)?;
        Ok(self
            .store
            .list_channels(viewer.user, search, &request)
            .await?)
    }

    /// Joins a channel. Who is in it already stays so.
    pub async fn join_channel(
        &self,
        viewer: Viewer,
        conversation_id: &str,
    ) -> Result<Membership, Error> {
        let conversation: ConversationId = id("conversationId", conversation_id)?;
        let write = JoiningChannel {
            conversation,
            viewer: viewer.user,
            membership: self.new_id(conversation.last_byte()),
            members_max: self.limits.channel_members_max,
        };
        Ok(self.log.write(write).await?)
    }
}

struct JoiningChannel {
    conversation: ConversationId,
    viewer: UserId,
    membership: MembershipId,
    members_max: i32,
}

impl Write for JoiningChannel {
    type Outcome = Membership;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.viewer);
    }

    fn decide(&self, batch: &mut Batch) -> Result<Membership, Rejection> {
        let here = found(batch, self.conversation, self.viewer)?;
        if here.conversation.kind == ConversationKind::Channel
            && let Some(membership) = here.membership
        {
            return Ok(membership.clone());
        }
        here.may(Action::Join)?;
        if here.conversation.member_count >= self.members_max {
            let message = format!("a channel has at most {} members", self.members_max);
            return Err(Rejection::new(Reason::LimitReached, message));
        }
        Ok(batch.join(Membership::beginning(
            self.membership,
            self.conversation,
            self.viewer,
            Role::Member,
        )))
    }
}
