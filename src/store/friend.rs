//! What lies between two people.

use entity::{block, friend_request, friendship, user};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, JoinType, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
    sea_query::{Expr, OnConflict, Query},
};

use super::{Error, Store, Transaction, behind, user::from_row as user_from_row};
use crate::model::{
    Block, BlockId, FriendRequest, FriendRequestDirection, FriendRequestId, FriendRequestStatus,
    Friendship, FriendshipId, Id, Page, PageRequest, Pair, Relationship, Timestamp, User, UserId,
    friend::NewestKey, user::UserKey,
};

fn status_text(status: FriendRequestStatus) -> &'static str {
    match status {
        FriendRequestStatus::Pending => "PENDING",
        FriendRequestStatus::Accepted => "ACCEPTED",
        FriendRequestStatus::Rejected => "REJECTED",
        FriendRequestStatus::Cancelled => "CANCELLED",
    }
}

fn request_from_row(row: &friend_request::Model) -> Result<FriendRequest, Error> {
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

fn friendship_from_row(row: &friendship::Model) -> Friendship {
    Friendship {
        id: FriendshipId::from_uuid(row.id),
        pair: Pair::new(
            UserId::from_uuid(row.user_id),
            UserId::from_uuid(row.friend_id),
        ),
        created_at: Timestamp::from_millis(row.created_at),
    }
}

fn block_from_row(row: &block::Model) -> Block {
    Block {
        id: BlockId::from_uuid(row.id),
        blocker: UserId::from_uuid(row.blocker_id),
        blocked: UserId::from_uuid(row.blocked_id),
        created_at: Timestamp::from_millis(row.created_at),
    }
}

fn requests_of(
    user: UserId,
    direction: FriendRequestDirection,
    status: Option<FriendRequestStatus>,
) -> Select<friend_request::Entity> {
    let side = match direction {
        FriendRequestDirection::Received => friend_request::Column::RecipientId,
        FriendRequestDirection::Sent => friend_request::Column::SenderId,
    };
    let select = friend_request::Entity::find().filter(side.eq(user.uuid()));
    match status {
        Some(status) => select.filter(friend_request::Column::Status.eq(status_text(status))),
        None => select,
    }
}

fn requests_between(pair: Pair) -> Select<friend_request::Entity> {
    friend_request::Entity::find()
        .filter(friend_request::Column::LowId.eq(pair.low.uuid()))
        .filter(friend_request::Column::HighId.eq(pair.high.uuid()))
}

/// The friends of a user, as a list of identifiers within another statement.
fn friend_ids(user: UserId) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(friendship::Column::FriendId)
        .from(friendship::Entity)
        .and_where(friendship::Column::UserId.eq(user.uuid()))
        .to_owned()
}

impl Store {
    /// All that lies between two people.
    pub async fn find_relationship(&self, pair: Pair) -> Result<Relationship, Error> {
        relationship(&self.db, pair).await
    }

    /// A request.
    pub async fn find_friend_request(
        &self,
        id: FriendRequestId,
    ) -> Result<Option<FriendRequest>, Error> {
        let row = friend_request::Entity::find_by_id(id.uuid())
            .one(&self.db)
            .await?;
        row.as_ref().map(request_from_row).transpose()
    }

    /// A friendship.
    pub async fn find_friendship(&self, id: FriendshipId) -> Result<Option<Friendship>, Error> {
        let row = friendship::Entity::find()
            .filter(friendship::Column::Id.eq(id.uuid()))
            .one(&self.db)
            .await?;
        Ok(row.as_ref().map(friendship_from_row))
    }

    /// A block.
    pub async fn find_block(&self, id: BlockId) -> Result<Option<Block>, Error> {
        let row = block::Entity::find_by_id(id.uuid()).one(&self.db).await?;
        Ok(row.as_ref().map(block_from_row))
    }

    /// A person's friendships, by the friend's handle.
    pub async fn list_friendships(
        &self,
        of: UserId,
        request: &PageRequest<UserKey>,
    ) -> Result<Page<(Friendship, User)>, Error> {
        let friend = friendship::Entity::belongs_to(user::Entity)
            .from(friendship::Column::FriendId)
            .to(user::Column::Id);
        let mut select = friendship::Entity::find()
            .filter(friendship::Column::UserId.eq(of.uuid()))
            .join(JoinType::InnerJoin, friend.into())
            .select_also(user::Entity)
            .order_by_asc(Expr::col((user::Entity, user::Column::Handle)))
            .limit(u64::from(request.items) + 1);
        if let Some(UserKey(handle)) = &request.after {
            select = select.filter(user::Column::Handle.gt(handle));
        }
        let mut found = Vec::new();
        for (row, friend) in select.all(&self.db).await? {
            let friend = friend.ok_or(Error::Corrupt("join"))?;
            found.push((friendship_from_row(&row), user_from_row(friend)));
        }
        Ok(Page::from_rows(found, request))
    }

    /// How many friends a person has.
    pub async fn count_friendships(&self, of: UserId) -> Result<u64, Error> {
        let of = friendship::Entity::find().filter(friendship::Column::UserId.eq(of.uuid()));
        Ok(of.count(&self.db).await?)
    }

    /// People who are friends of both, by handle.
    pub async fn list_mutual_friends(
        &self,
        pair: Pair,
        request: &PageRequest<UserKey>,
    ) -> Result<Page<User>, Error> {
        let mut select = user::Entity::find()
            .filter(user::Column::Id.in_subquery(friend_ids(pair.low)))
            .filter(user::Column::Id.in_subquery(friend_ids(pair.high)))
            .order_by_asc(user::Column::Handle)
            .limit(u64::from(request.items) + 1);
        if let Some(UserKey(handle)) = &request.after {
            select = select.filter(user::Column::Handle.gt(handle));
        }
        let rows = select.all(&self.db).await?;
        Ok(Page::from_rows(
            rows.into_iter().map(user_from_row).collect(),
            request,
        ))
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
        select: Select<friend_request::Entity>,
        request: &PageRequest<NewestKey>,
    ) -> Result<Page<FriendRequest>, Error> {
        use friend_request::Column;
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

    /// A person's blocks, newest first.
    pub async fn list_blocks(
        &self,
        of: UserId,
        request: &PageRequest<NewestKey>,
    ) -> Result<Page<Block>, Error> {
        use block::Column;
        let mut select = block::Entity::find()
            .filter(Column::BlockerId.eq(of.uuid()))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(u64::from(request.items) + 1);
        if let Some(NewestKey(at, id)) = request.after {
            select = select.filter(behind(Column::CreatedAt, Column::Id, (at, id)));
        }
        let rows = select.all(&self.db).await?;
        Ok(Page::from_rows(
            rows.iter().map(block_from_row).collect(),
            request,
        ))
    }
}

/// A friendship, and what a decision hangs on: every request since the oldest that may still matter is among the newest
/// hundred, for a pair makes one a day at most but by withdrawing.
async fn relationship(
    db: &impl sea_orm::ConnectionTrait,
    pair: Pair,
) -> Result<Relationship, Error> {
    const REQUESTS: u64 = 100;
    let friendship = friendship::Entity::find_by_id((pair.low.uuid(), pair.high.uuid()))
        .one(db)
        .await?;
    let requests = requests_between(pair)
        .order_by_desc(friend_request::Column::CreatedAt)
        .order_by_desc(friend_request::Column::Id)
        .limit(REQUESTS)
        .all(db)
        .await?;
    let either = |blocker: UserId, blocked: UserId| {
        block::Column::BlockerId
            .eq(blocker.uuid())
            .and(block::Column::BlockedId.eq(blocked.uuid()))
    };
    let blocks = block::Entity::find()
        .filter(
            Condition::any()
                .add(either(pair.low, pair.high))
                .add(either(pair.high, pair.low)),
        )
        .all(db)
        .await?;
    Ok(Relationship {
        friendship: friendship.as_ref().map(friendship_from_row),
        requests: requests
            .iter()
            .map(request_from_row)
            .collect::<Result<_, _>>()?,
        blocks: blocks.iter().map(block_from_row).collect(),
    })
}

impl Transaction {
    /// All that lies between two people.
    pub async fn find_relationship(&self, pair: Pair) -> Result<Relationship, Error> {
        relationship(&self.tx, pair).await
    }

    /// How many requests of a person wait for an answer.
    pub async fn count_pending_of(&self, sender: UserId) -> Result<u64, Error> {
        let pending = Some(FriendRequestStatus::Pending);
        Ok(requests_of(sender, FriendRequestDirection::Sent, pending)
            .count(&self.tx)
            .await?)
    }

    /// Writes requests, new ones or answered.
    pub async fn put_friend_requests(&self, requests: &[&FriendRequest]) -> Result<(), Error> {
        use friend_request::{ActiveModel, Column, Entity};
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
            Entity::insert(row)
                .on_conflict(changed)
                .exec_without_returning(&self.tx)
                .await?;
        }
        Ok(())
    }

    /// Makes what lies between two people what it is now: the friendship and the blocks.
    pub async fn put_relationship(&self, pair: Pair, now: &Relationship) -> Result<(), Error> {
        let sides = [(pair.low, pair.high), (pair.high, pair.low)];
        for (one, other) in sides {
            friendship::Entity::delete_by_id((one.uuid(), other.uuid()))
                .exec(&self.tx)
                .await?;
            let blocked = Condition::all()
                .add(block::Column::BlockerId.eq(one.uuid()))
                .add(block::Column::BlockedId.eq(other.uuid()));
            block::Entity::delete_many()
                .filter(blocked)
                .exec(&self.tx)
                .await?;
        }
        if let Some(friendship) = &now.friendship {
            let rows = sides.map(|(one, other)| friendship::ActiveModel {
                user_id: Set(one.uuid()),
                friend_id: Set(other.uuid()),
                id: Set(friendship.id.uuid()),
                created_at: Set(friendship.created_at.millis()),
            });
            friendship::Entity::insert_many(rows)
                .exec_without_returning(&self.tx)
                .await?;
        }
        for block in &now.blocks {
            let row = block::ActiveModel {
                id: Set(block.id.uuid()),
                blocker_id: Set(block.blocker.uuid()),
                blocked_id: Set(block.blocked.uuid()),
                created_at: Set(block.created_at.millis()),
            };
            block::Entity::insert(row)
                .exec_without_returning(&self.tx)
                .await?;
        }
        Ok(())
    }
}
