//! What lies between two people.

use std::collections::{HashMap, HashSet};

use entity::{block, friend_request, friendship, user};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, JoinType, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{Query, SimpleExpr},
};

use super::{
    Error, Store, TERMS_PER_STATEMENT, Transaction, any_of,
    block::block_from_row,
    friend_request::{request_from_row, requests_between},
    user::{from_row as user_from_row, is_here},
};
use crate::model::{
    Friendship, FriendshipId, Id, Page, PageRequest, Pair, Relationship, Timestamp, User, UserId,
    user::UserKey,
};

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

/// The friends of a user, as a list of identifiers within another statement.
fn friend_ids(user: UserId) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(friendship::Column::FriendId)
        .from(friendship::Entity)
        .and_where(friendship::Column::UserId.eq(user.uuid()))
        .to_owned()
}

impl Store {
    /// Friendships.
    pub async fn find_friendships(&self, ids: &[FriendshipId]) -> Result<Vec<Friendship>, Error> {
        let rows = friendship::Entity::find()
            .filter(friendship::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
            .all(&self.db)
            .await?;
        let mut found: Vec<_> = rows.iter().map(friendship_from_row).collect();
        // Each lies there twice, once for either of the two.
        found.sort_unstable_by_key(|friendship| friendship.id);
        found.dedup_by_key(|friendship| friendship.id);
        Ok(found)
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
            .filter(is_here())
            .join(JoinType::InnerJoin, friend.into())
            .select_also(user::Entity)
            .order_by_asc(friendship::Column::FriendHandle)
            .limit(u64::from(request.items) + 1);
        if let Some(UserKey(handle)) = &request.after {
            select = select.filter(friendship::Column::FriendHandle.gt(handle));
        }
        let mut found = Vec::new();
        for (row, friend) in select.all(&self.db).await? {
            let friend = friend.ok_or(Error::Corrupt("join"))?;
            found.push((friendship_from_row(&row), user_from_row(friend)));
        }
        Ok(Page::from_rows(found, request))
    }

    /// Which of these people are friends of somebody.
    pub async fn friends_among(
        &self,
        of: UserId,
        people: impl IntoIterator<Item = UserId>,
    ) -> Result<HashSet<UserId>, Error> {
        let people: Vec<_> = people.into_iter().map(Id::uuid).collect();
        if people.is_empty() {
            return Ok(HashSet::new());
        }
        let rows = friendship::Entity::find()
            .filter(friendship::Column::UserId.eq(of.uuid()))
            .filter(friendship::Column::FriendId.is_in(people))
            .all(&self.db)
            .await?;
        let friend = |row: &friendship::Model| UserId::from_uuid(row.friend_id);
        Ok(rows.iter().map(friend).collect())
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
            .filter(is_here())
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

    /// All that lies between somebody and others, as they may see it: what others hold against them is left out.
    pub async fn find_relationships(
        &self,
        of: UserId,
        others: &[UserId],
    ) -> Result<HashMap<UserId, Relationship>, Error> {
        let ids: Vec<_> = others.iter().map(|id| id.uuid()).collect();
        let mut between: HashMap<_, _> = others
            .iter()
            .map(|other| (*other, Relationship::default()))
            .collect();
        let friendships = friendship::Entity::find()
            .filter(friendship::Column::UserId.eq(of.uuid()))
            .filter(friendship::Column::FriendId.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?;
        for friendship in friendships.iter().map(friendship_from_row) {
            let other = friendship.pair.other(of);
            between.entry(other).or_default().friendship = Some(friendship);
        }
        for request in self.pending_requests(of, &ids).await? {
            let other = request.pair().other(of);
            between.entry(other).or_default().requests.push(request);
        }
        for block in self.blocks_among(of, &ids).await? {
            between.entry(block.blocked).or_default().blocks.push(block);
        }
        Ok(between)
    }
}

impl Transaction {
    /// All that lies between two people, of their requests the newest hundred: what a decision hangs on is among them, for
    /// a pair makes one a day at most but by withdrawing.
    pub async fn find_relationship(&self, pair: Pair) -> Result<Relationship, Error> {
        const REQUESTS: u64 = 100;
        let friendship = friendship::Entity::find_by_id((pair.low.uuid(), pair.high.uuid()))
            .one(&self.db)
            .await?;
        let requests = requests_between(pair)
            .order_by_desc(friend_request::Column::CreatedAt)
            .order_by_desc(friend_request::Column::Id)
            .limit(REQUESTS)
            .all(&self.db)
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
            .all(&self.db)
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

    /// Which of these pairs are friends.
    pub async fn find_friends(&self, pairs: &[Pair]) -> Result<Vec<Pair>, Error> {
        let mut found = Vec::new();
        for pairs in pairs.chunks(TERMS_PER_STATEMENT) {
            let any = any_of(pairs, |pair| {
                friendship::Column::UserId
                    .eq(pair.low.uuid())
                    .and(friendship::Column::FriendId.eq(pair.high.uuid()))
            });
            let rows = friendship::Entity::find().filter(any).all(&self.db).await?;
            found.extend(rows.iter().map(|row| friendship_from_row(row).pair));
        }
        Ok(found)
    }

    /// Makes what lies between two people what it is now: the friendship and the blocks.
    pub fn put_relationship(&mut self, pair: Pair, now: &Relationship) {
        let sides = [(pair.low, pair.high), (pair.high, pair.low)];
        for (one, other) in sides {
            self.add(&friendship::Entity::delete_by_id((
                one.uuid(),
                other.uuid(),
            )));
            let blocked = Condition::all()
                .add(block::Column::BlockerId.eq(one.uuid()))
                .add(block::Column::BlockedId.eq(other.uuid()));
            self.add(&block::Entity::delete_many().filter(blocked));
        }
        if let Some(friendship) = &now.friendship {
            let rows = sides.map(|(one, other)| friendship::ActiveModel {
                user_id: Set(one.uuid()),
                friend_id: Set(other.uuid()),
                friend_handle: Set(String::new()),
                id: Set(friendship.id.uuid()),
                created_at: Set(friendship.created_at.millis()),
            });
            self.add(&friendship::Entity::insert_many(rows));
            for (one, other) in sides {
                let handle = Query::select()
                    .column(user::Column::Handle)
                    .from(user::Entity)
                    .and_where(user::Column::Id.eq(other.uuid()))
                    .to_owned();
                let handle = SimpleExpr::SubQuery(None, Box::new(handle.into()));
                self.add(
                    &friendship::Entity::update_many()
                        .col_expr(friendship::Column::FriendHandle, handle)
                        .filter(friendship::Column::UserId.eq(one.uuid()))
                        .filter(friendship::Column::FriendId.eq(other.uuid())),
                );
            }
        }
        for block in &now.blocks {
            let row = block::ActiveModel {
                id: Set(block.id.uuid()),
                blocker_id: Set(block.blocker.uuid()),
                blocked_id: Set(block.blocked.uuid()),
                created_at: Set(block.created_at.millis()),
            };
            self.add(&block::Entity::insert(row));
        }
    }
}
