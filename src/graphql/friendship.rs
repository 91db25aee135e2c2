//! What people do about friends, and about those they want to hear nothing from.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    block::Block,
    context::{chat, signed_in},
    error::{Fault, UserError, payload, payloads},
    friend::{Friendship, FriendshipEdge},
    friend_request::FriendRequest,
    loader,
    user::User,
};
use crate::chat::{Answer, Asked};

/// Input of `sendFriendRequest`.
#[derive(InputObject)]
pub(super) struct SendFriendRequestInput {
    /// User to ask.
    user_id: ID,
}

/// Result of `sendFriendRequest`.
#[derive(Default, SimpleObject)]
pub(super) struct SendFriendRequestPayload {
    /// The newest request between the two; null on failure.
    friend_request: Option<FriendRequest>,
    /// The friendship, when the two are friends now.
    friendship: Option<Friendship>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `acceptFriendRequest`.
#[derive(InputObject)]
pub(super) struct AcceptFriendRequestInput {
    /// Request to accept.
    friend_request_id: ID,
}

/// Result of `acceptFriendRequest`.
#[derive(Default, SimpleObject)]
pub(super) struct AcceptFriendRequestPayload {
    /// The request after the change; null on failure.
    friend_request: Option<FriendRequest>,
    /// The new friendship, ready for a list; null on failure.
    friendship_edge: Option<FriendshipEdge>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `rejectFriendRequest`.
#[derive(InputObject)]
pub(super) struct RejectFriendRequestInput {
    /// Request to reject.
    friend_request_id: ID,
}

/// Result of `rejectFriendRequest`.
#[derive(Default, SimpleObject)]
pub(super) struct RejectFriendRequestPayload {
    /// The request after the change; null on failure.
    friend_request: Option<FriendRequest>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `cancelFriendRequest`.
#[derive(InputObject)]
pub(super) struct CancelFriendRequestInput {
    /// Request to withdraw.
    friend_request_id: ID,
}

/// Result of `cancelFriendRequest`.
#[derive(Default, SimpleObject)]
pub(super) struct CancelFriendRequestPayload {
    /// The request after the change; null on failure.
    friend_request: Option<FriendRequest>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `removeFriend`.
#[derive(InputObject)]
pub(super) struct RemoveFriendInput {
    /// The friend.
    user_id: ID,
}

/// Result of `removeFriend`.
#[derive(Default, SimpleObject)]
pub(super) struct RemoveFriendPayload {
    /// Identifier of the friendship that ended; null on failure.
    removed_friendship_id: Option<ID>,
    /// The former friend; null on failure.
    user: Option<User>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `blockUser`.
#[derive(InputObject)]
pub(super) struct BlockUserInput {
    /// User to block.
    user_id: ID,
}

/// Result of `blockUser`.
#[derive(Default, SimpleObject)]
pub(super) struct BlockUserPayload {
    /// The block; null on failure.
    block: Option<Block>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `unblockUser`.
#[derive(InputObject)]
pub(super) struct UnblockUserInput {
    /// User to unblock.
    user_id: ID,
}

/// Result of `unblockUser`.
#[derive(Default, SimpleObject)]
pub(super) struct UnblockUserPayload {
    /// Identifier of the block that ended; null on failure.
    removed_block_id: Option<ID>,
    /// The user; null on failure.
    user: Option<User>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

payloads!(
    SendFriendRequestPayload,
    AcceptFriendRequestPayload,
    RejectFriendRequestPayload,
    CancelFriendRequestPayload,
    RemoveFriendPayload,
    BlockUserPayload,
    UnblockUserPayload,
);

#[derive(Default)]
pub(super) struct FriendMutation;

#[Object]
impl FriendMutation {
    /// Accept a request that the viewer received.
    async fn accept_friend_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: AcceptFriendRequestInput,
    ) -> Result<Option<AcceptFriendRequestPayload>, Fault> {
        let viewer = signed_in(ctx)?;
        let chat = chat(ctx)?;
        let asking = chat.answer_friend_request(viewer, &input.friend_request_id, Answer::Accept);
        let outcome = Box::pin(asking).await;
        let mut edge = None;
        if let Ok(Asked {
            friendship: Some(friendship),
            ..
        }) = &outcome
        {
            // The change holds, even if the other's account was closed a moment after.
            let friend = loader::user(ctx, friendship.pair.other(viewer.user)).await?;
            edge = friend.map(|friend| FriendshipEdge::new(friendship.clone(), &friend));
        }
        payload(outcome, |asked| AcceptFriendRequestPayload {
            friend_request: asked.request.map(FriendRequest),
            friendship_edge: edge,
            ..Default::default()
        })
    }

    /// Block a user; ends a friendship and pending requests between the two.
    async fn block_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: BlockUserInput,
    ) -> Result<Option<BlockUserPayload>, Fault> {
        let outcome = chat(ctx)?.block_user(signed_in(ctx)?, &input.user_id).await;
        payload(outcome, |block| BlockUserPayload {
            block: Some(Block(block)),
            ..Default::default()
        })
    }

    /// Withdraw a request that the viewer sent.
    async fn cancel_friend_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: CancelFriendRequestInput,
    ) -> Result<Option<CancelFriendRequestPayload>, Fault> {
        let viewer = signed_in(ctx)?;
        let asking =
            chat(ctx)?.answer_friend_request(viewer, &input.friend_request_id, Answer::Cancel);
        let outcome = Box::pin(asking).await;
        payload(outcome, |asked| CancelFriendRequestPayload {
            friend_request: asked.request.map(FriendRequest),
            ..Default::default()
        })
    }

    /// Reject a request that the viewer received.
    async fn reject_friend_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: RejectFriendRequestInput,
    ) -> Result<Option<RejectFriendRequestPayload>, Fault> {
        let viewer = signed_in(ctx)?;
        let asking =
            chat(ctx)?.answer_friend_request(viewer, &input.friend_request_id, Answer::Reject);
        let outcome = Box::pin(asking).await;
        payload(outcome, |asked| RejectFriendRequestPayload {
            friend_request: asked.request.map(FriendRequest),
            ..Default::default()
        })
    }

    /// End a friendship. A direct conversation between the two stays and can only be read.
    async fn remove_friend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: RemoveFriendInput,
    ) -> Result<Option<RemoveFriendPayload>, Fault> {
        let outcome = chat(ctx)?
            .remove_friend(signed_in(ctx)?, &input.user_id)
            .await;
        let user = match &outcome {
            Ok((_, friend)) => loader::user(ctx, *friend).await?.map(User),
            Err(_) => None,
        };
        payload(outcome, |(friendship, _)| RemoveFriendPayload {
            removed_friendship_id: Some(friendship.to_string().into()),
            user,
            ..Default::default()
        })
    }

    /// Ask a user to be friends. When the other has asked already, the friendship is made at once.
    async fn send_friend_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: SendFriendRequestInput,
    ) -> Result<Option<SendFriendRequestPayload>, Fault> {
        let asking = chat(ctx)?.send_friend_request(signed_in(ctx)?, &input.user_id);
        let outcome = Box::pin(asking).await;
        payload(outcome, |asked| SendFriendRequestPayload {
            friend_request: asked.request.map(FriendRequest),
            friendship: asked.friendship.map(Friendship),
            ..Default::default()
        })
    }

    /// Take a block back.
    async fn unblock_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: UnblockUserInput,
    ) -> Result<Option<UnblockUserPayload>, Fault> {
        let outcome = chat(ctx)?
            .unblock_user(signed_in(ctx)?, &input.user_id)
            .await;
        let user = match &outcome {
            Ok((_, unblocked)) => loader::user(ctx, *unblocked).await?.map(User),
            Err(_) => None,
        };
        payload(outcome, |(block, _)| UnblockUserPayload {
            removed_block_id: Some(block.to_string().into()),
            user,
            ..Default::default()
        })
    }
}
