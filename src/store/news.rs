//! What happened since: the log as somebody reads it who was away.
//!
//! Nothing here looks at more than what was asked for: conversations that moved are found by where their heads are, changes
//! by their positions, each through an index of its own; for messages see their marks.

use entity::{change, conversation, membership};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    Select, prelude::Uuid,
};

use super::{
    Error, Store, change::from_row, many::all_of, membership::from_row as membership_from_row,
    user::is_here,
};
use crate::model::{Change, ConversationId, Id, Membership, Position, Span, UserId};

/// Users or conversations named in one statement at most.
pub(super) const NAMED_PER_STATEMENT: usize = 500;

/// A conversation in which something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub conversation: ConversationId,
    /// Position at which it was deleted.
    pub deleted_position: Option<Position>,
    /// How many members it has.
    pub member_count: i32,
}

/// A run of one conversation's rows: those behind a position.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Behind this position.
    pub after: Position,
}

type MovedRow = (Uuid, Option<i64>, i32);

fn moved((id, deleted_position, member_count): MovedRow) -> Moved {
    Moved {
        conversation: ConversationId::from_uuid(id),
        deleted_position,
        member_count,
    }
}

fn moved_columns<E: EntityTrait>(select: Select<E>) -> Select<E> {
    select
        .select_only()
        .column(conversation::Column::Id)
        .column(conversation::Column::DeletedPosition)
        .column(conversation::Column::MemberCount)
}

pub(super) fn of_conversation() -> sea_orm::RelationDef {
    membership::Entity::belongs_to(conversation::Entity)
        .from(membership::Column::ConversationId)
        .to(conversation::Column::Id)
        .into()
}

impl Store {
    /// All conversations of which anything lies behind a position; none when there are more than `most`.
    pub async fn find_moved(
        &self,
        after: Position,
        most: u64,
    ) -> Result<Option<Vec<Moved>>, Error> {
        let select = conversation::Entity::find()
            .filter(conversation::Column::HeadPosition.gt(after))
            .order_by_asc(conversation::Column::HeadPosition)
            .limit(most + 1);
        let rows: Vec<MovedRow> = moved_columns(select).into_tuple().all(&self.db).await?;
        let few = rows.len() as u64 <= most;
        Ok(few.then(|| rows.into_iter().map(moved).collect()))
    }

    /// Those of these people's conversations of which anything lies behind a position, deleted ones too.
    pub async fn find_moved_of(
        &self,
        people: &[UserId],
        after: Position,
    ) -> Result<Vec<Moved>, Error> {
        let mut found = Vec::new();
        for people in people.chunks(NAMED_PER_STATEMENT) {
            let select = membership::Entity::find()
                .filter(membership::Column::UserId.is_in(people.iter().map(|id| id.uuid())))
                .filter(membership::Column::LeftPosition.is_null())
                .filter(conversation::Column::HeadPosition.gt(after))
                .join(JoinType::InnerJoin, of_conversation())
                .distinct();
            let rows: Vec<MovedRow> = moved_columns(select).into_tuple().all(&self.db).await?;
            found.extend(rows.into_iter().map(moved));
        }
        Ok(found)
    }

    /// The oldest other changes of each run, `each` at most.
    pub async fn changes_since(
        &self,
        runs: &[Run],
        until: Position,
        each: u64,
    ) -> Result<Vec<Vec<Change>>, Error> {
        let select = |run: &Run| {
            change::Entity::find()
                .filter(change::Column::ConversationId.eq(run.conversation.uuid()))
                .filter(change::Column::Position.gt(run.after))
                .filter(change::Column::Position.lte(until))
                .order_by_asc(change::Column::Position)
                .limit(each)
        };
        let rows = all_of(&self.db, runs.iter().map(select).collect()).await?;
        let changes = |rows: Vec<_>| rows.iter().map(from_row).collect();
        rows.into_iter().map(changes).collect()
    }

    /// The oldest changes that these people did or that happened to them, by position, and up to which position that is
    /// all of them: about `most`.
    pub async fn changes_about(
        &self,
        people: &[UserId],
        span: Span,
        most: u64,
    ) -> Result<(Vec<Change>, Position), Error> {
        let (mut found, mut until) = (Vec::new(), span.until);
        for people in people.chunks(NAMED_PER_STATEMENT) {
            for column in [change::Column::UserId, change::Column::OtherUserId] {
                let rows = of_people(within(span), column, people)
                    .limit(most)
                    .all(&self.db)
                    .await?;
                until = std::cmp::min(until, complete_until(&rows, span, most));
                for row in &rows {
                    found.push(from_row(row)?);
                }
            }
        }
        found.sort_unstable_by_key(|change: &Change| change.position);
        found.dedup_by_key(|change| change.position);
        Ok((found, until))
    }

    /// The oldest changes of profiles, of anybody's or of these people's, and up to which position that is all of them:
    /// about `most`.
    pub async fn profiles_since(
        &self,
        span: Span,
        people: Option<&[UserId]>,
        most: u64,
    ) -> Result<(Vec<Change>, Position), Error> {
        let updated = within(span).filter(change::Column::Kind.eq("PROFILE_UPDATED"));
        let (mut found, mut until) = (Vec::new(), span.until);
        let selects: Vec<_> = match people {
            None => vec![updated.order_by_asc(change::Column::Position)],
            Some(people) => people
                .chunks(NAMED_PER_STATEMENT)
                .map(|people| of_people(updated.clone(), change::Column::UserId, people))
                .collect(),
        };
        for select in selects {
            let rows = select.limit(most).all(&self.db).await?;
            until = std::cmp::min(until, complete_until(&rows, span, most));
            for row in &rows {
                found.push(from_row(row)?);
            }
        }
        found.sort_unstable_by_key(|change| change.position);
        Ok((found, until))
    }

    /// The newest within a span of each of these people's changes of profile.
    pub async fn last_profiles(
        &self,
        people: &[UserId],
        span: Span,
    ) -> Result<Vec<(UserId, Position)>, Error> {
        let rows: Vec<(Uuid, i64)> = within(span)
            .select_only()
            .column(change::Column::UserId)
            .column_as(change::Column::Position.max(), "position")
            .filter(change::Column::UserId.is_in(people.iter().map(|id| id.uuid())))
            .filter(change::Column::Kind.eq("PROFILE_UPDATED"))
            .group_by(change::Column::UserId)
            .into_tuple()
            .all(&self.db)
            .await?;
        let last = |(id, position)| (UserId::from_uuid(id), position);
        Ok(rows.into_iter().map(last).collect())
    }

    /// Those of these people who were members of these conversations when they were deleted, if they were.
    pub async fn find_members_among(
        &self,
        conversations: &[ConversationId],
        people: &[UserId],
    ) -> Result<Vec<Membership>, Error> {
        let mut found = Vec::new();
        for conversations in conversations.chunks(NAMED_PER_STATEMENT) {
            let rows = membership::Entity::find()
                .filter(
                    membership::Column::ConversationId
                        .is_in(conversations.iter().map(|id| id.uuid())),
                )
                .filter(membership::Column::UserId.is_in(people.iter().map(|id| id.uuid())))
                .filter(membership::Column::LeftPosition.is_null())
                .filter(conversation::Column::DeletedPosition.is_not_null())
                .join(JoinType::InnerJoin, of_conversation())
                .all(&self.db)
                .await?;
            for row in &rows {
                found.push(membership_from_row(row)?);
            }
        }
        Ok(found)
    }

    /// Current memberships of these conversations, of anybody or of these people, whose read marks moved.
    pub async fn marks_since(
        &self,
        conversations: &[ConversationId],
        people: Option<&[UserId]>,
        span: Span,
    ) -> Result<Vec<Membership>, Error> {
        let mut found = Vec::new();
        for conversations in conversations.chunks(NAMED_PER_STATEMENT) {
            let ids = conversations.iter().map(|id| id.uuid());
            let mut select = membership::Entity::find()
                .filter(membership::Column::ConversationId.is_in(ids))
                .filter(membership::Column::LeftPosition.is_null())
                .filter(membership::Column::ReadPosition.gt(span.after))
                .filter(membership::Column::ReadPosition.lte(span.until))
                .filter(is_here())
                .join(JoinType::InnerJoin, super::membership::of_user());
            if let Some(people) = people {
                let ids = people.iter().map(|id| id.uuid());
                select = select.filter(membership::Column::UserId.is_in(ids));
            }
            let rows = select.all(&self.db).await?;
            for row in &rows {
                found.push(membership_from_row(row)?);
            }
        }
        Ok(found)
    }

    /// Where within a span somebody left each of these conversations last.
    pub async fn last_leavings(
        &self,
        user: UserId,
        conversations: &[ConversationId],
        span: Span,
    ) -> Result<Vec<(ConversationId, Position)>, Error> {
        let rows: Vec<(Uuid, i64)> = within(span)
            .select_only()
            .column(change::Column::ConversationId)
            .column_as(change::Column::Position.max(), "position")
            .filter(change::Column::UserId.eq(user.uuid()))
            .filter(change::Column::Kind.eq("MEMBER_LEFT"))
            .filter(change::Column::ConversationId.is_in(conversations.iter().map(|id| id.uuid())))
            .group_by(change::Column::ConversationId)
            .into_tuple()
            .all(&self.db)
            .await?;
        let leaving = |(id, position)| (ConversationId::from_uuid(id), position);
        Ok(rows.into_iter().map(leaving).collect())
    }
}

/// Up to which position rows are all that there are, when `most` were asked for.
fn complete_until(rows: &[change::Model], span: Span, most: u64) -> Position {
    match rows.last() {
        Some(last) if rows.len() as u64 == most => last.position,
        Some(_) | None => span.until,
    }
}

/// Rows of changes within a span.
fn within(span: Span) -> Select<change::Entity> {
    change::Entity::find().filter(
        Condition::all()
            .add(change::Column::Shard.eq(i32::from(span.shard)))
            .add(change::Column::Position.gt(span.after))
            .add(change::Column::Position.lte(span.until)),
    )
}

/// Those of some people, by position. The order is by a sum so that SQLite takes the index by people and sorts, and does
/// not walk through everybody's changes for the sake of the order.
fn of_people(
    select: Select<change::Entity>,
    column: change::Column,
    people: &[UserId],
) -> Select<change::Entity> {
    select
        .filter(column.is_in(people.iter().map(|id| id.uuid())))
        .order_by_asc(change::Column::Position.into_expr().add(0))
}
