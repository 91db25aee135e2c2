//! Requests to become friends.

use async_graphql::{Context, Enum, ID, Object};

use super::{
    context::chat,
    error::Fault,
    loader,
    page::{Edge, PageInfo, edges},
    scalar::DateTime,
    user::User,
};
use crate::{
    chat::Viewer,
    model::{
        self, FriendRequestDirection as Direction, FriendRequestStatus as Status, Id, Page, Pair,
        friend::NewestKey, page::cursor,
    },
};

/// State of a friend request. It leaves PENDING once and never returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum FriendRequestStatus {
    /// Answered with yes; a friendship was made.
    Accepted,
    /// Withdrawn by its sender, or ended by a block or the end of an account.
    Cancelled,
    /// Not answered yet.
    Pending,
    /// Answered with no.
    Rejected,
}

impl From<Status> for FriendRequestStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Accepted => Self::Accepted,
            Status::Cancelled => Self::Cancelled,
            Status::Pending => Self::Pending,
            Status::Rejected => Self::Rejected,
        }
    }
}

impl From<FriendRequestStatus> for Status {
    fn from(status: FriendRequestStatus) -> Self {
        match status {
            FriendRequestStatus::Accepted => Self::Accepted,
            FriendRequestStatus::Cancelled => Self::Cancelled,
            FriendRequestStatus::Pending => Self::Pending,
            FriendRequestStatus::Rejected => Self::Rejected,
        }
    }
}

/// Which side of a friend request the viewer is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum FriendRequestDirection {
    /// The viewer was asked.
    Received,
    /// The viewer asked.
    Sent,
}

impl From<FriendRequestDirection> for Direction {
    fn from(direction: FriendRequestDirection) -> Self {
        match direction {
            FriendRequestDirection::Received => Self::Received,
            FriendRequestDirection::Sent => Self::Sent,
        }
    }
}

/// A request to become friends. It leaves the pending state once and never returns to it.
pub(super) struct FriendRequest(pub(super) model::FriendRequest);

/// A request to become friends. It leaves the pending state once and never returns to it.
#[Object]
impl FriendRequest {
    /// When it was answered or withdrawn; null while pending.
    async fn closed_at(&self) -> Option<DateTime> {
        self.0.closed_at.map(Into::into)
    }

    /// When it was sent.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Global identifier.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Who was asked; null when the account is gone.
    async fn recipient(&self, ctx: &Context<'_>) -> Result<Option<User>, Fault> {
        Ok(loader::user(ctx, self.0.recipient).await?.map(User))
    }

    /// Who asked; null when the account is gone.
    async fn sender(&self, ctx: &Context<'_>) -> Result<Option<User>, Fault> {
        Ok(loader::user(ctx, self.0.sender).await?.map(User))
    }

    /// Where it stands.
    async fn status(&self) -> FriendRequestStatus {
        self.0.status.into()
    }
}

/// A friend request in a page.
#[derive(async_graphql::SimpleObject)]
pub(super) struct FriendRequestEdge {
    /// Position of this request.
    cursor: String,
    /// The request.
    node: FriendRequest,
}

impl Edge for FriendRequestEdge {
    fn cursor(&self) -> &str {
        &self.cursor
    }
}

impl From<model::FriendRequest> for FriendRequestEdge {
    fn from(request: model::FriendRequest) -> Self {
        let cursor = cursor(&NewestKey(request.created_at, request.id.uuid()));
        Self {
            cursor,
            node: FriendRequest(request),
        }
    }
}

/// Which requests a page is of; counted only when a client asks how many there are.
pub(super) enum Requests {
    /// Of the viewer.
    Of(Viewer, Direction, Option<Status>),
    /// Between two people.
    Between(Pair),
}

/// Page of friend requests.
pub(super) struct FriendRequestConnection {
    edges: Vec<FriendRequestEdge>,
    page_info: PageInfo,
    requests: Requests,
}

impl FriendRequestConnection {
    pub(super) fn new(page: Page<model::FriendRequest>, requests: Requests) -> Self {
        let (edges, page_info) = edges(page);
        Self {
            edges,
            page_info,
            requests,
        }
    }
}

/// Page of friend requests.
#[Object]
impl FriendRequestConnection {
    /// Requests with their cursors.
    async fn edges(&self) -> &[FriendRequestEdge] {
        &self.edges
    }

    /// Position of the page.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// How many there are in all.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, Fault> {
        let chat = chat(ctx)?;
        let count = match self.requests {
            Requests::Of(viewer, direction, status) => {
                chat.friend_request_count(viewer, direction, status).await?
            }
            Requests::Between(pair) => chat.request_history_count(pair).await?,
        };
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}
