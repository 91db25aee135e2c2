//! Making conversations, and changing what they are called and who may do what.

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::{
    context::{chat, signed_in},
    conversation::{Conversation, ConversationEdge},
    error::{Fault, UserError, payload, payloads},
    permissions::MemberPolicy,
    user::patch,
};
use crate::{
    chat::{CreateConversation, UpdateConversation},
    model,
};

/// Kinds that `createConversation` makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum CreatableConversationKind {
    /// A channel.
    Channel,
    /// A group.
    Group,
}

impl From<CreatableConversationKind> for model::ConversationKind {
    fn from(kind: CreatableConversationKind) -> Self {
        match kind {
            CreatableConversationKind::Channel => Self::Channel,
            CreatableConversationKind::Group => Self::Group,
        }
    }
}

/// Input of `createConversation`.
#[derive(InputObject)]
pub(super) struct CreateConversationInput {
    /// Key of up to 64 characters, chosen by the client. A second call with the same key gives the first one's result.
    idempotency_key: Option<String>,
    /// GROUP or CHANNEL.
    #[graphql(default_with = "CreatableConversationKind::Group")]
    kind: CreatableConversationKind,
    /// Up to 100 friends to add to a group.
    #[graphql(default_with = "Vec::new()")]
    member_ids: Vec<ID>,
    /// Title of 1 to 100 characters.
    title: String,
    /// Topic of up to 500 characters.
    topic: Option<String>,
}

/// Result of `createConversation`.
#[derive(Default, SimpleObject)]
pub(super) struct CreateConversationPayload {
    /// The conversation, ready for a list; null on failure.
    conversation_edge: Option<ConversationEdge>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `updateConversation`. A field left out stays as it is.
#[derive(InputObject)]
pub(super) struct UpdateConversationInput {
    /// Conversation to change.
    conversation_id: ID,
    /// New invite policy; null is refused.
    invite_policy: MaybeUndefined<MemberPolicy>,
    /// New posting policy; null is refused.
    posting_policy: MaybeUndefined<MemberPolicy>,
    /// New title; null is refused.
    title: MaybeUndefined<String>,
    /// New topic; null takes the topic away.
    topic: MaybeUndefined<String>,
}

/// Result of `updateConversation`.
#[derive(Default, SimpleObject)]
pub(super) struct UpdateConversationPayload {
    /// The conversation after the change; null on failure.
    conversation: Option<Conversation>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

payloads!(CreateConversationPayload, UpdateConversationPayload);

#[derive(Default)]
pub(super) struct ConversationMutation;

#[Object]
impl ConversationMutation {
    /// Make a group or channel with the viewer as its owner.
    async fn create_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: CreateConversationInput,
    ) -> Result<Option<CreateConversationPayload>, Fault> {
        let new = CreateConversation {
            kind: input.kind.into(),
            title: input.title,
            topic: input.topic,
            member_ids: input.member_ids.into_iter().map(|id| id.0).collect(),
            idempotency_key: input.idempotency_key,
        };
        let outcome = chat(ctx)?.create_conversation(signed_in(ctx)?, new).await;
        payload(outcome, |conversation| CreateConversationPayload {
            conversation_edge: Some(conversation.into()),
            ..Default::default()
        })
    }

    /// Change title, topic or policies of a group or channel. Needs ADMIN.
    async fn update_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: UpdateConversationInput,
    ) -> Result<Option<UpdateConversationPayload>, Fault> {
        let change = UpdateConversation {
            conversation_id: input.conversation_id.0,
            title: patch(input.title, |text| text),
            topic: patch(input.topic, |text| text),
            posting_policy: patch(input.posting_policy, Into::into),
            invite_policy: patch(input.invite_policy, Into::into),
        };
        let outcome = chat(ctx)?
            .update_conversation(signed_in(ctx)?, change)
            .await;
        payload(outcome, |conversation| UpdateConversationPayload {
            conversation: Some(Conversation(conversation)),
            ..Default::default()
        })
    }
}
