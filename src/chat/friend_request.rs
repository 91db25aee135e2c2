//! Asking somebody to be friends, and answering.

use super::{
    Chat, Error, Reason, Rejection, Viewer,
    friend::{other_of, pair_with},
    input::id,
};
use crate::{
    log::{Batch, Needs, Write},
    model::{
        FriendRequest, FriendRequestDirection, FriendRequestId, FriendRequestStatus, Friendship,
        FriendshipId, Page, PageRequest, Pair, UserId, friend::NewestKey, page::PageArguments,
    },
};

/// A request after somebody asked, and the friendship if the two are friends now.
#[derive(Debug)]
pub struct Asked {
    /// The newest request between the two.
    pub request: Option<FriendRequest>,
    /// The friendship.
    pub friendship: Option<Friendship>,
}

/// How a request is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// By its recipient: yes.
    Accept,
    /// By its recipient: no.
    Reject,
    /// By its sender.
    Cancel,
}

impl Chat {
    /// Asks somebody to be friends. When they have asked already, the friendship is made.
    pub async fn send_friend_request(&self, viewer: Viewer, user_id: &str) -> Result<Asked, Error> {
        let pair = pair_with(viewer, user_id)?;
        let last_byte = pair.last_byte();
        let write = SendingFriendRequest {
            viewer: viewer.user,
            pair,
            request: self.new_id(last_byte),
            friendship: self.new_id(last_byte),
            pending_max: self.limits.pending_requests_max,
        };
        Ok(self.log.write(write).await?)
    }

    /// Accepts, rejects or withdraws a request.
    pub async fn answer_friend_request(
        &self,
        viewer: Viewer,
        friend_request_id: &str,
        answer: Answer,
    ) -> Result<Asked, Error> {
        let request: FriendRequestId = id("friendRequestId", friend_request_id)?;
        // Who the two are never changes, so it may be looked up before the decision.
        let found = self.store.find_friend_requests(&[request]).await?.pop();
        let found =
            found.filter(|found| found.sender == viewer.user || found.recipient == viewer.user);
        let pair = found.ok_or_else(no_request)?.pair();
        let friendship = self.new_id(pair.last_byte());
        let write = AnsweringFriendRequest {
            viewer: viewer.user,
            pair,
            request,
            answer,
            friendship,
        };
        Ok(self.log.write(write).await?)
    }

    /// A request that the viewer sent or received.
    pub async fn friend_request(
        &self,
        viewer: Viewer,
        id: FriendRequestId,
    ) -> Result<Option<FriendRequest>, Error> {
        let found = self.store.find_friend_requests(&[id]).await?.pop();
        Ok(found.filter(|found| found.sender == viewer.user || found.recipient == viewer.user))
    }

    /// Requests to or from the viewer, newest first.
    pub async fn friend_requests(
        &self,
        viewer: Viewer,
        direction: FriendRequestDirection,
        status: Option<FriendRequestStatus>,
        page: &PageArguments,
    ) -> Result<Page<FriendRequest>, Error> {
        let request: PageRequest<NewestKey> = PageRequest::parse(page, &self.limits)?;
        Ok(self
            .store
            .list_friend_requests(viewer.user, direction, status, &request)
            .await?)
    }

    /// How many there are.
    pub async fn friend_request_count(
        &self,
        viewer: Viewer,
        direction: FriendRequestDirection,
        status: Option<FriendRequestStatus>,
    ) -> Result<u64, Error> {
        Ok(self
            .store
            .count_friend_requests(viewer.user, direction, status)
            .await?)
    }

    /// Every request there ever was between the viewer and somebody, newest first.
    pub async fn request_history(
        &self,
        pair: Pair,
        page: &PageArguments,
    ) -> Result<Page<FriendRequest>, Error> {
        let request: PageRequest<NewestKey> = PageRequest::parse(page, &self.limits)?;
        Ok(self.store.list_requests_between(pair, &request).await?)
    }

    /// How many there were.
    pub async fn request_history_count(&self, pair: Pair) -> Result<u64, Error> {
        Ok(self.store.count_requests_between(pair).await?)
    }
}

pub(super) fn closed(
    request: &FriendRequest,
    status: FriendRequestStatus,
    batch: &Batch,
) -> FriendRequest {
    FriendRequest {
        status,
        closed_at: Some(batch.at()),
        ..request.clone()
    }
}

fn no_request() -> Rejection {
    Rejection::at(
        "friendRequestId",
        Reason::NotFound,
        "there is no such request",
    )
}

/// Answers a pending request with yes.
fn accept(batch: &mut Batch, request: &FriendRequest, id: FriendshipId) -> Asked {
    let accepted = closed(request, FriendRequestStatus::Accepted, batch);
    let friendship = Friendship {
        id,
        pair: request.pair(),
        created_at: batch.at(),
    };
    batch.put_friend_request(accepted.clone());
    batch.begin_friendship(friendship.clone());
    Asked {
        request: Some(accepted),
        friendship: Some(friendship),
    }
}

struct SendingFriendRequest {
    viewer: UserId,
    pair: Pair,
    request: FriendRequestId,
    friendship: FriendshipId,
    pending_max: u64,
}

impl Write for SendingFriendRequest {
    type Outcome = Asked;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.pair.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.pair(self.pair);
        needs.pending_of(self.viewer);
    }

    fn decide(&self, batch: &mut Batch) -> Result<Asked, Rejection> {
        let recipient = other_of(batch, self.viewer, self.pair)?;
        let between = batch.between(self.pair);
        if let Some(friendship) = between.friendship.clone() {
            let request = between.newest_request().cloned();
            return Ok(Asked {
                request,
                friendship: Some(friendship),
            });
        }
        if let Some(pending) = between.pending().cloned() {
            return Ok(if pending.sender == self.viewer {
                Asked {
                    request: Some(pending),
                    friendship: None,
                }
            } else {
                accept(batch, &pending, self.friendship)
            });
        }
        if !between.may_ask(self.viewer, batch.at()) {
            // Blocked, or rejected lately: which of them is not told.
            let message = "you cannot ask this user now";
            return Err(Rejection::at("userId", Reason::Forbidden, message));
        }
        if batch.pending_of(self.viewer) >= self.pending_max {
            let message = format!(
                "at most {} requests may wait for an answer",
                self.pending_max
            );
            return Err(Rejection::new(Reason::LimitReached, message));
        }
        let request = FriendRequest {
            id: self.request,
            sender: self.viewer,
            recipient,
            status: FriendRequestStatus::Pending,
            created_at: batch.at(),
            closed_at: None,
        };
        batch.put_friend_request(request.clone());
        Ok(Asked {
            request: Some(request),
            friendship: None,
        })
    }
}

struct AnsweringFriendRequest {
    viewer: UserId,
    pair: Pair,
    request: FriendRequestId,
    answer: Answer,
    friendship: FriendshipId,
}

impl Write for AnsweringFriendRequest {
    type Outcome = Asked;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.pair.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.pair(self.pair);
    }

    fn decide(&self, batch: &mut Batch) -> Result<Asked, Rejection> {
        let between = batch.between(self.pair);
        let found = between
            .requests
            .iter()
            .find(|request| request.id == self.request);
        let request = found.cloned().ok_or_else(no_request)?;
        let friendship = between.friendship.clone();
        let (side, status) = match self.answer {
            Answer::Accept => (request.recipient, FriendRequestStatus::Accepted),
            Answer::Reject => (request.recipient, FriendRequestStatus::Rejected),
            Answer::Cancel => (request.sender, FriendRequestStatus::Cancelled),
        };
        if side != self.viewer {
            let message = "this is for the other side of the request to do";
            return Err(Rejection::at("friendRequestId", Reason::Forbidden, message));
        }
        if request.status == status
            && (status != FriendRequestStatus::Accepted || friendship.is_some())
        {
            return Ok(Asked {
                request: Some(request),
                friendship,
            });
        }
        if request.status != FriendRequestStatus::Pending {
            let message = "the request was answered or withdrawn already";
            return Err(Rejection::at(
                "friendRequestId",
                Reason::WrongState,
                message,
            ));
        }
        if self.answer == Answer::Accept {
            // Of a closed account what is pending is about to be ended.
            batch.user(self.pair.low).ok_or_else(no_request)?;
            batch.user(self.pair.high).ok_or_else(no_request)?;
            return Ok(accept(batch, &request, self.friendship));
        }
        let request = closed(&request, status, batch);
        batch.put_friend_request(request.clone());
        Ok(Asked {
            request: Some(request),
            friendship: None,
        })
    }
}
