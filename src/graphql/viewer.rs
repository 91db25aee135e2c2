//! What only the signed-in person may see.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    block::BlockConnection,
    context::{chat, heads},
    conversation::{ConversationConnection, ConversationKind},
    error::Fault,
    friend::FriendshipConnection,
    friend_request::{
        FriendRequestConnection, FriendRequestDirection, FriendRequestStatus, Requests,
    },
    loader,
    page::forwards,
    session::Session,
    user::User,
};
use crate::{
    chat::{self, Error},
    model::{Cursor, NodeId, conversation::ConversationFilter},
};

/// Everything that only the signed-in person may see.
pub(super) struct Viewer(pub(super) chat::Viewer);

/// Everything that only the signed-in person may see.
#[Object]
impl Viewer {
    /// Users that the viewer blocks, newest first.
    #[graphql(complexity = "crate::graphql::page::cost([first, None], child_complexity)")]
    async fn blocks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return blocks after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size, 1 to 100; 20 when left out.")] first: Option<i32>,
    ) -> Result<Option<BlockConnection>, Fault> {
        Ok(Some(
            chat(ctx)?
                .blocks(self.0, &forwards(after, first))
                .await?
                .into(),
        ))
    }

    /// The viewer's conversations, newest first by `lastMessage.sentAt`, or by `createdAt` while there is no message.
    #[graphql(complexity = "crate::graphql::page::cost([first, None], child_complexity)")]
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return conversations after this cursor.")] after: Option<String>,
        #[graphql(
            desc = "Whether to list archived ones instead of the others.",
            default = false
        )]
        archived: bool,
        #[graphql(desc = "Page size, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Only conversations of these kinds.")] kinds: Option<
            Vec<ConversationKind>,
        >,
        #[graphql(desc = "Only conversations with unread messages.", default = false)] unread_only: bool,
    ) -> Result<Option<ConversationConnection>, Fault> {
        let mut named = std::collections::HashSet::new();
        let kinds = kinds.unwrap_or_default().into_iter().map(Into::into);
        let kinds = kinds.filter(|kind| named.insert(*kind)).collect();
        let filter = ConversationFilter {
            kinds,
            archived,
            unread_only,
        };
        let page = chat(ctx)?
            .conversations(self.0, &filter, &forwards(after, first))
            .await?;
        Ok(Some(page.into()))
    }

    /// Position of the viewer's event stream, read before anything else in the query: `events(after:)` with it misses nothing that the rest of the query did not show.
    async fn event_cursor(&self, ctx: &Context<'_>) -> Result<String, Fault> {
        Ok(chat(ctx)?.cursor(&Cursor(Arc::clone(heads(ctx)?))))
    }

    /// Requests to or from the viewer, newest first; those answered long ago are kept.
    #[graphql(complexity = "crate::graphql::page::cost([first, None], child_complexity)")]
    async fn friend_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return requests after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those received or those sent.")] direction: FriendRequestDirection,
        #[graphql(desc = "Page size, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(
            desc = "Only requests in this state; null for all.",
            default_with = "Some(FriendRequestStatus::Pending)"
        )]
        status: Option<FriendRequestStatus>,
    ) -> Result<Option<FriendRequestConnection>, Fault> {
        let (direction, status) = (direction.into(), status.map(Into::into));
        let page = chat(ctx)?
            .friend_requests(self.0, direction, status, &forwards(after, first))
            .await?;
        let requests = Requests::Of(self.0, direction, status);
        Ok(Some(FriendRequestConnection::new(page, requests)))
    }

    /// The viewer's friends, by handle.
    #[graphql(complexity = "crate::graphql::page::cost([first, None], child_complexity)")]
    async fn friends(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return friends after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size, 1 to 100; 20 when left out.")] first: Option<i32>,
    ) -> Result<Option<FriendshipConnection>, Fault> {
        let page = chat(ctx)?.friends(self.0, &forwards(after, first)).await?;
        Ok(Some(FriendshipConnection::new(page, self.0)))
    }

    /// Global identifier.
    pub(super) async fn id(&self) -> ID {
        NodeId::viewer_text(self.0.user).into()
    }

    /// Devices that are signed in, the current one first; 100 at most: signing in once more ends the one unused for longest.
    #[graphql(complexity = "crate::graphql::page::cost([Some(100), None], child_complexity)")]
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>, Fault> {
        Ok(chat(ctx)?
            .sessions(self.0)
            .await?
            .into_iter()
            .map(Session)
            .collect())
    }

    /// Sum of unread messages over all conversations that are not archived; exact, up to 2147483647. No event carries it: it grows by one with each message of somebody else; ask again after anything else.
    async fn unread_count(&self, ctx: &Context<'_>) -> Result<i32, Fault> {
        let count = chat(ctx)?.unread_count(self.0).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// The viewer as others see them.
    async fn user(&self, ctx: &Context<'_>) -> Result<User, Fault> {
        // The account of a session is there for as long as the session.
        let user = loader::user(ctx, self.0.user).await?;
        Ok(User(user.ok_or(Error::Unauthenticated)?))
    }
}
