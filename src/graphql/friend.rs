//! Friends, and what lies between the viewer and somebody.

use async_graphql::{Context, Enum, ID, Object};

use super::{
    block::Block,
    context::{chat, signed_in},
    error::Fault,
    friend_request::{FriendRequest, FriendRequestConnection, Requests},
    loader,
    page::{Edge, PageInfo, edges, forwards},
    scalar::DateTime,
    user::User,
};
use crate::{
    chat::{Error, Viewer},
    model::{self, Page, Pair, UserId, page::cursor, user::UserKey},
};

/// Two users who agreed to be friends.
pub(super) struct Friendship(pub(super) model::Friendship);

/// Two users who agreed to be friends.
#[Object]
impl Friendship {
    /// When it began.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// The friend, seen from the viewer.
    async fn friend(&self, ctx: &Context<'_>) -> Result<User, Fault> {
        person(ctx, self.0.pair.other(signed_in(ctx)?.user)).await
    }

    /// Global identifier.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }
}

/// Somebody who is there as long as what names them.
pub(super) async fn person(ctx: &Context<'_>, id: UserId) -> Result<User, Fault> {
    let user = loader::user(ctx, id).await?;
    // It was closed between the one look-up and the other: what named it is about to go as well.
    let retry_after = std::time::Duration::from_millis(100);
    Ok(User(user.ok_or(Error::Unavailable { retry_after })?))
}

/// A friendship in a page.
#[derive(async_graphql::SimpleObject)]
pub(super) struct FriendshipEdge {
    /// Position of this friendship.
    cursor: String,
    /// The friendship.
    node: Friendship,
}

impl FriendshipEdge {
    /// A friendship in the list by handle.
    pub(super) fn new(friendship: model::Friendship, friend: &model::User) -> Self {
        let cursor = cursor(&UserKey(friend.handle.clone()));
        Self {
            cursor,
            node: Friendship(friendship),
        }
    }
}

impl Edge for FriendshipEdge {
    fn cursor(&self) -> &str {
        &self.cursor
    }
}

impl From<(model::Friendship, model::User)> for FriendshipEdge {
    fn from((friendship, friend): (model::Friendship, model::User)) -> Self {
        Self::new(friendship, &friend)
    }
}

/// Page of friendships.
pub(super) struct FriendshipConnection {
    edges: Vec<FriendshipEdge>,
    page_info: PageInfo,
    viewer: Viewer,
}

impl FriendshipConnection {
    pub(super) fn new(page: Page<(model::Friendship, model::User)>, viewer: Viewer) -> Self {
        let (edges, page_info) = edges(page);
        Self {
            edges,
            page_info,
            viewer,
        }
    }
}

/// Page of friendships.
#[Object]
impl FriendshipConnection {
    /// Friendships with their cursors.
    async fn edges(&self) -> &[FriendshipEdge] {
        &self.edges
    }

    /// Position of the page.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// How many there are in all.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, Fault> {
        let count = chat(ctx)?.friend_count(self.viewer).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// Summary of a relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum RelationshipStatus {
    /// The viewer blocks the user.
    Blocked,
    /// The two are friends.
    Friends,
    /// Nothing lies between them.
    None,
    /// The user asked the viewer.
    RequestReceived,
    /// The viewer asked the user.
    RequestSent,
}

/// The pair of a user and the viewer, seen from the viewer.
pub(super) struct Relationship {
    viewer: Viewer,
    pair: Pair,
    between: model::Relationship,
}

impl Relationship {
    /// What lies between the viewer and somebody; nothing with oneself.
    pub(super) async fn find(
        ctx: &Context<'_>,
        viewer: Viewer,
        user: UserId,
    ) -> Result<Option<Self>, Fault> {
        if viewer.user == user {
            return Ok(None);
        }
        let between = loader::relationship(ctx, user).await?;
        let pair = Pair::new(viewer.user, user);
        Ok(Some(Self {
            viewer,
            pair,
            between,
        }))
    }
}

/// The pair of a user and the viewer, seen from the viewer.
#[Object]
impl Relationship {
    /// The block that the viewer holds against the user, if any. A block in the other direction is never shown.
    async fn block(&self) -> Option<Block> {
        self.between.block_by(self.viewer.user).cloned().map(Block)
    }

    /// The friendship, if there is one.
    async fn friendship(&self) -> Option<Friendship> {
        self.between.friendship.clone().map(Friendship)
    }

    /// A pending request in either direction, if there is one.
    async fn pending_request(&self) -> Option<FriendRequest> {
        self.between.pending().cloned().map(FriendRequest)
    }

    /// Every request there ever was between the two, newest first.
    #[graphql(complexity = "crate::graphql::page::cost([first, None], child_complexity)")]
    async fn request_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return requests after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size, 1 to 100; 20 when left out.")] first: Option<i32>,
    ) -> Result<Option<FriendRequestConnection>, Fault> {
        let page = chat(ctx)?
            .request_history(self.pair, &forwards(after, first))
            .await?;
        Ok(Some(FriendRequestConnection::new(
            page,
            Requests::Between(self.pair),
        )))
    }

    /// One-word summary.
    async fn status(&self) -> RelationshipStatus {
        let pending = self.between.pending();
        if self.between.block_by(self.viewer.user).is_some() {
            RelationshipStatus::Blocked
        } else if self.between.friendship.is_some() {
            RelationshipStatus::Friends
        } else if pending.is_some_and(|request| request.sender == self.viewer.user) {
            RelationshipStatus::RequestSent
        } else if pending.is_some() {
            RelationshipStatus::RequestReceived
        } else {
            RelationshipStatus::None
        }
    }
}
