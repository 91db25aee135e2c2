//! Letting banned people come back.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    context::{chat, signed_in},
    conversation::Conversation,
    error::{Fault, UserError, payload, payloads},
};

/// Input of `unbanUser`.
#[derive(InputObject)]
pub(super) struct UnbanUserInput {
    /// Conversation the user is banned from.
    conversation_id: ID,
    /// The user.
    user_id: ID,
}

/// Result of `unbanUser`.
#[derive(Default, SimpleObject)]
pub(super) struct UnbanUserPayload {
    /// The conversation after the change; null on failure.
    conversation: Option<Conversation>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

payloads!(UnbanUserPayload);

#[derive(Default)]
pub(super) struct BanMutation;

#[Object]
impl BanMutation {
    /// Let a banned user join again. Needs ADMIN.
    async fn unban_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: UnbanUserInput,
    ) -> Result<Option<UnbanUserPayload>, Fault> {
        let outcome = chat(ctx)?
            .unban_user(signed_in(ctx)?, &input.conversation_id, &input.user_id)
            .await;
        payload(outcome, |conversation| UnbanUserPayload {
            conversation: Some(Conversation(conversation)),
            ..Default::default()
        })
    }
}
