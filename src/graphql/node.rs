//! Any object by its identifier.

use async_graphql::{Context, ID, Interface, Object};

use super::{
    block::Block,
    context::{chat, viewer},
    conversation::Conversation,
    error::Fault,
    friend::Friendship,
    friend_request::FriendRequest,
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
        find(ctx, &id).await
    }

    /// Up to 100 objects by their identifiers, in the same order, null for each that does not exist or may not be seen.
    #[graphql(
        complexity = "crate::graphql::page::cost([i32::try_from(ids.len()).ok(), None], child_complexity)"
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
        let mut nodes = Vec::with_capacity(ids.len());
        for id in &ids {
            nodes.push(find(ctx, id).await?);
        }
        Ok(Some(nodes))
    }
}

/// The object, if it is there and the viewer may see it: which of the two fails is not told.
async fn find(ctx: &Context<'_>, id: &str) -> Result<Option<Node>, Fault> {
    let chat = chat(ctx)?;
    let Ok(id) = id.parse() else { return Ok(None) };
    if let NodeId::User(id) = id {
        return Ok(chat.user(id).await?.map(|user| Node::User(User(user))));
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
        NodeId::Conversation(id) => chat
            .conversation(viewer, id)
            .await?
            .map(|(conversation, _)| Node::Conversation(Conversation(conversation))),
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
        NodeId::Message(id) => chat
            .message(viewer, id)
            .await?
            .map(|message| Node::Message(message.into())),
    })
}
