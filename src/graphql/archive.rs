//! Putting conversations away.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    context::{chat, signed_in},
    conversation::Conversation,
    error::{Fault, UserError, payload, payloads},
};

/// Input of `archiveConversation`.
#[derive(InputObject)]
pub(super) struct ArchiveConversationInput {
    /// Conversation to archive.
    conversation_id: ID,
}

/// Result of `archiveConversation`.
#[derive(Default, SimpleObject)]
pub(super) struct ArchiveConversationPayload {
    /// The conversation after the change; null on failure.
    conversation: Option<Conversation>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `unarchiveConversation`.
#[derive(InputObject)]
pub(super) struct UnarchiveConversationInput {
    /// Conversation to take out of the archive.
    conversation_id: ID,
}

/// Result of `unarchiveConversation`.
#[derive(Default, SimpleObject)]
pub(super) struct UnarchiveConversationPayload {
    /// The conversation after the change; null on failure.
    conversation: Option<Conversation>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `deleteConversation`.
#[derive(InputObject)]
pub(super) struct DeleteConversationInput {
    /// Conversation to delete.
    conversation_id: ID,
}

/// Result of `deleteConversation`.
#[derive(Default, SimpleObject)]
pub(super) struct DeleteConversationPayload {
    /// Identifier of the conversation that is gone; null on failure.
    deleted_conversation_id: Option<ID>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

payloads!(
    ArchiveConversationPayload,
    UnarchiveConversationPayload,
    DeleteConversationPayload,
);

#[derive(Default)]
pub(super) struct ArchiveMutation;

#[Object]
impl ArchiveMutation {
    /// Archive a group or channel for everybody: it can still be read, and not written to. Needs ADMIN.
    async fn archive_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ArchiveConversationInput,
    ) -> Result<Option<ArchiveConversationPayload>, Fault> {
        let viewer = signed_in(ctx)?;
        let outcome = chat(ctx)?
            .archive_conversation(viewer, &input.conversation_id, true)
            .await;
        payload(outcome, |conversation| ArchiveConversationPayload {
            conversation: Some(Conversation(conversation)),
            ..Default::default()
        })
    }

    /// Delete a group or channel and its messages for everybody. Needs OWNER.
    async fn delete_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: DeleteConversationInput,
    ) -> Result<Option<DeleteConversationPayload>, Fault> {
        let viewer = signed_in(ctx)?;
        let outcome = chat(ctx)?
            .delete_conversation(viewer, &input.conversation_id)
            .await;
        payload(outcome, |deleted| DeleteConversationPayload {
            deleted_conversation_id: Some(deleted.to_string().into()),
            ..Default::default()
        })
    }

    /// Undo archiveConversation. Needs ADMIN.
    async fn unarchive_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: UnarchiveConversationInput,
    ) -> Result<Option<UnarchiveConversationPayload>, Fault> {
        let viewer = signed_in(ctx)?;
        let outcome = chat(ctx)?
            .archive_conversation(viewer, &input.conversation_id, false)
            .await;
        payload(outcome, |conversation| UnarchiveConversationPayload {
            conversation: Some(Conversation(conversation)),
            ..Default::default()
        })
    }
}
