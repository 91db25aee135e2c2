//! Deleting one's account.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    context::{chat, one_password, signed_in},
    error::{Fault, UserError, payload, payloads},
};

/// Input of `deleteAccount`.
#[derive(InputObject)]
pub(super) struct DeleteAccountInput {
    /// Password of the account, as a confirmation.
    password: String,
}

/// Result of `deleteAccount`.
#[derive(Default, SimpleObject)]
pub(super) struct DeleteAccountPayload {
    /// Identifier of the user that is gone; null on failure.
    deleted_user_id: Option<ID>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

payloads!(DeleteAccountPayload);

#[derive(Default)]
pub(super) struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Delete the viewer's account. Their messages stay, without a sender; their friendships, blocks and memberships end; groups and channels they own go to the oldest admin, else the oldest member, else are deleted.
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: DeleteAccountInput,
    ) -> Result<Option<DeleteAccountPayload>, Fault> {
        let viewer = signed_in(ctx)?;
        one_password(ctx)?;
        let deleting = chat(ctx)?.delete_account(viewer, input.password);
        let outcome = Box::pin(deleting).await;
        payload(outcome, |deleted| DeleteAccountPayload {
            deleted_user_id: Some(deleted.to_string().into()),
            ..Default::default()
        })
    }
}
