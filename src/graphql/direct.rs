//! The one conversation that two friends have with each other.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    context::{chat, signed_in},
    conversation::Conversation,
    error::{Fault, UserError, payload, payloads},
};

/// Input of `openDirectConversation`.
#[derive(InputObject)]
pub(super) struct OpenDirectConversationInput {
    /// The other person.
    user_id: ID,
}

/// Result of `openDirectConversation`.
#[derive(Default, SimpleObject)]
pub(super) struct OpenDirectConversationPayload {
    /// The conversation; null on failure.
    conversation: Option<Conversation>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
    /// Whether this call made it.
    was_created: bool,
}

payloads!(OpenDirectConversationPayload);

#[derive(Default)]
pub(super) struct DirectMutation;

#[Object]
impl DirectMutation {
    /// Get the direct conversation with a friend, making it when there is none yet.
    async fn open_direct_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: OpenDirectConversationInput,
    ) -> Result<Option<OpenDirectConversationPayload>, Fault> {
        let outcome = chat(ctx)?
            .open_direct_conversation(signed_in(ctx)?, &input.user_id)
            .await;
        payload(outcome, |opened| OpenDirectConversationPayload {
            conversation: Some(Conversation(opened.conversation)),
            was_created: opened.was_created,
            ..Default::default()
        })
    }
}
