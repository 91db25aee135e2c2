//! Any object by its identifier.

use async_graphql::{Context, ID, Interface, Object};
use futures_util::future::try_join_all;

use super::{
    block::Block,
    context::{chat, viewer},
    conversation::Conversation,
    error::Fault,
    friend::Friendship,
    friend_request::FriendRequest,
    loader,
    membership::Membership,
    message::Message,
    session::Session,
    user::User,
    viewer::Viewer,
};
use crate::{chat::Error, model::NodeId};

/// An object with an identifier that is unique over all types and never reused.
/// Treat the identifier as opaque.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Global identifier."))]
pub(super) enum Node {
    Block(Block),
    Conversation(Conversation),
    FriendRequest(FriendRequest),
    Friendship(Friendship),
    Membership(Membership),
    Message(Message),
    Session(Session),
    User(User),
    Viewer(Viewer),
}

#[derive(Default)]
pub(super) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any object by its identifier; null when it does not exist or may not be seen.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the object.")] id: ID,
    ) -> Result<Option<Node>, Fault> {
        Box::pin(find(ctx, &id)).await
    }

    /// Up to 100 objects by their identifiers, in the same order, null for each that does not exist or may not be seen.
    #[graphql(
        complexity = "crate::graphql::page::cost_of_large([i32::try_from(ids.len()).ok(), None], child_complexity)"
    )]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifiers of the objects.")] ids: Vec<ID>,
    ) -> Result<Option<Vec<Option<Node>>>, Fault> {
        let max = chat(ctx)?.limits().page_items_max;
        if ids.len() > max as usize {
            return Err(Error::BadInput(format!("`ids` must have at most {max} items")).into());
        }
        // Side by side, so that their look-ups are gathered.
        Ok(Some(
            try_join_all(ids.iter().map(|id| find(ctx, id)).map(Box::pin)).await?,
        ))
    }
}

/// The object, if it is there and the viewer may see it: which of the two fails is not told.
async fn find(ctx: &Context<'_>, id: &str) -> Result<Option<Node>, Fault> {
    let chat = chat(ctx)?;
    let Ok(id) = id.parse() else { return Ok(None) };
    if let NodeId::User(id) = id {
        let user = loader::user(ctx, id).await?;
        return Ok(user.map(|user| Node::User(User(user))));
    }
    let Some(viewer) = viewer(ctx)? else {
        return Ok(None);
    };
    Ok(match id {
        NodeId::User(_) => None,
        NodeId::Viewer(id) => (id == viewer.user).then_some(Node::Viewer(Viewer(viewer))),
        NodeId::Session(id) => chat
            .session(viewer, id)
            .await?
            .map(|session| Node::Session(Session(session))),
        NodeId::Conversation(id) => loader::place(ctx, id)
            .await?
            .map(|place| Node::Conversation(Conversation(place.conversation))),
        NodeId::Membership(id) => chat
            .membership(viewer, id)
            .await?
            .map(|membership| Node::Membership(Membership(membership))),
        NodeId::FriendRequest(id) => {
            let request = chat.friend_request(viewer, id).await?;
            request.map(|request| Node::FriendRequest(FriendRequest(request)))
        }
        NodeId::Friendship(id) => {
            let friendship = chat.friendship(viewer, id).await?;
            friendship.map(|friendship| Node::Friendship(Friendship(friendship)))
        }
        NodeId::Block(id) => chat
            .block(viewer, id)
            .await?
            .map(|block| Node::Block(Block(block))),
        NodeId::Message(id) => {
            let place = loader::place(ctx, id.conversation).await?;
            match place {
                // Nothing beyond what was there when the conversation was read.
                Some(place) if id.seq <= place.conversation.last_seq => loader::message(ctx, id)
                    .await?
                    .map(|message| Node::Message(Message(message))),
                Some(_) | None => None,
            }
        }
    })
}
