//! Requests to become friends.

use entity::friend_request::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select, prelude::Uuid, sea_query::OnConflict,
};

use super::{Error, Store, Transaction, behind};
use crate::model::{
    FriendRequest, FriendRequestDirection, FriendRequestId, FriendRequestStatus, Id, Page,
    PageRequest, Pair, Timestamp, UserId, friend::NewestKey,
};

fn status_text(status: FriendRequestStatus) -> &'static str {
    match status {
        FriendRequestStatus::Pending => "PENDING",
        FriendRequestStatus::Accepted => "ACCEPTED",
        FriendRequestStatus::Rejected => "REJECTED",
        FriendRequestStatus::Cancelled => "CANCELLED",
    }
}

pub(super) fn request_from_row(row: &Model) -> Result<FriendRequest, Error> {
    let status = match row.status.as_str() {
        "PENDING" => FriendRequestStatus::Pending,
        "ACCEPTED" => FriendRequestStatus::Accepted,
        "REJECTED" => FriendRequestStatus::Rejected,
        "CANCELLED" => FriendRequestStatus::Cancelled,
        _ => return Err(Error::Corrupt("request status")),
    };
    Ok(FriendRequest {
        id: FriendRequestId::from_uuid(row.id),
        sender: UserId::from_uuid(row.sender_id),
        recipient: UserId::from_uuid(row.recipient_id),
        status,
        created_at: Timestamp::from_millis(row.created_at),
        closed_at: row.closed_at.map(Timestamp::from_millis),
    })
}

fn requests_of(
    user: UserId,
    direction: FriendRequestDirection,
    status: Option<FriendRequestStatus>,
) -> Select<Entity> {
    let side = match direction {
        FriendRequestDirection::Received => Column::RecipientId,
        FriendRequestDirection::Sent => Column::SenderId,
    };
    let select = Entity::find().filter(side.eq(user.uuid()));
    match status {
        Some(status) => select.filter(Column::Status.eq(status_text(status))),
        None => select,
    }
}

pub(super) fn requests_between(pair: Pair) -> Select<Entity> {
    Entity::find()
        .filter(Column::LowId.eq(pair.low.uuid()))
        .filter(Column::HighId.eq(pair.high.uuid()))
}

impl Store {
    /// Requests.
    pub async fn find_friend_requests(
        &self,
        ids: &[FriendRequestId],
    ) -> Result<Vec<FriendRequest>, Error> {
        let rows = Entity::find()
            .filter(Column::Id.is_in(ids.iter().map(|id| id.uuid())))
            .all(&self.db)
            .await?;
        rows.iter().map(request_from_row).collect()
    }

    /// A person's requests on one side, in one state or in all, newest first.
    pub async fn list_friend_requests(
        &self,
        of: UserId,
        direction: FriendRequestDirection,
        status: Option<FriendRequestStatus>,
        request: &PageRequest<NewestKey>,
    ) -> Result<Page<FriendRequest>, Error> {
        self.page_of_requests(requests_of(of, direction, status), request)
            .await
    }

    /// How many there are.
    pub async fn count_friend_requests(
        &self,
        of: UserId,
        direction: FriendRequestDirection,
        status: Option<FriendRequestStatus>,
    ) -> Result<u64, Error> {
        Ok(requests_of(of, direction, status).count(&self.db).await?)
    }

    /// Every request there ever was between two people, newest first.
    pub async fn list_requests_between(
        &self,
        pair: Pair,
        request: &PageRequest<NewestKey>,
    ) -> Result<Page<FriendRequest>, Error> {
        self.page_of_requests(requests_between(pair), request).await
    }

    /// How many there are.
    pub async fn count_requests_between(&self, pair: Pair) -> Result<u64, Error> {
        Ok(requests_between(pair).count(&self.db).await?)
    }

    async fn page_of_requests(
        &self,
        select: Select<Entity>,
        request: &PageRequest<NewestKey>,
    ) -> Result<Page<FriendRequest>, Error> {
        let mut select = select
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(u64::from(request.items) + 1);
        if let Some(NewestKey(at, id)) = request.after {
            select = select.filter(behind(Column::CreatedAt, Column::Id, (at, id)));
        }
        let rows = select.all(&self.db).await?;
        let rows = rows
            .iter()
            .map(request_from_row)
            .collect::<Result<_, _>>()?;
        Ok(Page::from_rows(rows, request))
    }

    /// The requests between somebody and any of these others that wait for an answer.
    pub(super) async fn pending_requests(
        &self,
        of: UserId,
        others: &[Uuid],
    ) -> Result<Vec<FriendRequest>, Error> {
        let one_way = |of_column: Column, other_column: Column| {
            of_column
                .eq(of.uuid())
                .and(other_column.is_in(others.iter().copied()))
        };
        let rows = Entity::find()
            .filter(Column::Status.eq(status_text(FriendRequestStatus::Pending)))
            .filter(
                Condition::any()
                    .add(one_way(Column::SenderId, Column::RecipientId))
                    .add(one_way(Column::RecipientId, Column::SenderId)),
            )
            .all(&self.db)
            .await?;
        rows.iter().map(request_from_row).collect()
    }
}

impl Transaction {
    /// How many requests of a person wait for an answer.
    pub async fn count_pending_of(&self, sender: UserId) -> Result<u64, Error> {
        let pending = Some(FriendRequestStatus::Pending);
        Ok(requests_of(sender, FriendRequestDirection::Sent, pending)
            .count(&self.db)
            .await?)
    }

    /// Writes requests, new ones or answered.
    pub fn put_friend_requests(&mut self, requests: &[&FriendRequest]) {
        // What is closed goes first: it frees the one place for a pending request between two people.
        let (pending, closed): (Vec<&FriendRequest>, Vec<&FriendRequest>) = requests
            .iter()
            .copied()
            .partition(|request| request.status == FriendRequestStatus::Pending);
        for request in closed.into_iter().chain(pending) {
            let pair = request.pair();
            let row = ActiveModel {
                id: Set(request.id.uuid()),
                sender_id: Set(request.sender.uuid()),
                recipient_id: Set(request.recipient.uuid()),
                low_id: Set(pair.low.uuid()),
                high_id: Set(pair.high.uuid()),
                status: Set(status_text(request.status).to_owned()),
                created_at: Set(request.created_at.millis()),
                closed_at: Set(request.closed_at.map(Timestamp::millis)),
            };
            let changed = OnConflict::column(Column::Id)
                .update_columns([Column::Status, Column::ClosedAt])
                .to_owned();
            self.add(&Entity::insert(row).on_conflict(changed));
        }
    }
}
