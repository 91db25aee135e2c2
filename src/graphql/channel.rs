//! Channels: finding one, and joining it.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    context::{chat, signed_in},
    conversation::ConversationConnection,
    error::{Fault, UserError, payload, payloads},
    membership::Membership,
    page::forwards,
};

#[derive(Default)]
pub(super) struct ChannelQuery;

#[Object]
impl ChannelQuery {
    /// Channels that anybody may join, in the order of `Viewer.conversations`.
    #[graphql(complexity = "crate::graphql::page::cost([first, None], child_complexity)")]
    async fn channels(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return channels after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Only channels whose title has a word that begins with this text.")]
        search: Option<String>,
    ) -> Result<Option<ConversationConnection>, Fault> {
        let page = forwards(after, first);
        let channels = chat(ctx)?.channels(signed_in(ctx)?, search.as_deref(), &page);
        let page = Box::pin(channels).await?;
        Ok(Some(page.into()))
    }
}

/// Input of `joinChannel`.
#[derive(InputObject)]
pub(super) struct JoinChannelInput {
    /// Channel to join.
    conversation_id: ID,
}

/// Result of `joinChannel`.
#[derive(Default, SimpleObject)]
pub(super) struct JoinChannelPayload {
    /// The viewer's membership; null on failure.
    membership: Option<Membership>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

payloads!(JoinChannelPayload);

#[derive(Default)]
pub(super) struct ChannelMutation;

#[Object]
impl ChannelMutation {
    /// Join a channel.
    async fn join_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: JoinChannelInput,
    ) -> Result<Option<JoinChannelPayload>, Fault> {
        let outcome = chat(ctx)?
            .join_channel(signed_in(ctx)?, &input.conversation_id)
            .await;
        payload(outcome, |membership| JoinChannelPayload {
            membership: Some(Membership(membership)),
            ..Default::default()
        })
    }
}
