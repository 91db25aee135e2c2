//! What people follow: the conversations that they are in, and their friends.

use entity::{conversation, friendship, membership};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QuerySelect, prelude::Uuid,
};

use super::{
    Error, Store,
    membership::role,
    news::{NAMED_PER_STATEMENT, of_conversation},
};
use crate::model::{ConversationId, Id, Pair, Position, Role, UserId};

/// A conversation that somebody is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Followed {
    /// Who.
    pub user: UserId,
    /// Which.
    pub conversation: ConversationId,
    /// Position of their joining.
    pub since: Position,
    /// What they are there.
    pub role: Role,
    /// Of a direct conversation, the two.
    pub pair: Option<Pair>,
}

/// Who, where, since when, as what, and the two of a direct conversation.
type FollowedRow = (Uuid, Uuid, i64, String, Option<Uuid>, Option<Uuid>);

impl Store {
    /// What these people follow: every conversation that they are in and that was not deleted at or before a position.
    pub async fn find_followed(
        &self,
        people: &[UserId],
        head: Position,
    ) -> Result<Vec<Followed>, Error> {
        let mut found = Vec::new();
        for people in people.chunks(NAMED_PER_STATEMENT) {
            let rows: Vec<FollowedRow> = membership::Entity::find()
                .select_only()
                .column(membership::Column::UserId)
                .column(membership::Column::ConversationId)
                .column(membership::Column::JoinedPosition)
                .column(membership::Column::Role)
                .column(conversation::Column::LowId)
                .column(conversation::Column::HighId)
                .filter(membership::Column::UserId.is_in(people.iter().map(|id| id.uuid())))
                .filter(membership::Column::LeftPosition.is_null())
                .filter(
                    Condition::any()
                        .add(conversation::Column::DeletedPosition.is_null())
                        .add(conversation::Column::DeletedPosition.gt(head)),
                )
                .join(JoinType::InnerJoin, of_conversation())
                .into_tuple()
                .all(&self.db)
                .await?;
            for (user, conversation, since, role_name, low, high) in rows {
                let two = low.zip(high);
                found.push(Followed {
                    user: UserId::from_uuid(user),
                    conversation: ConversationId::from_uuid(conversation),
                    since,
                    role: role(&role_name)?,
                    pair: two.map(|(low, high)| {
                        Pair::new(UserId::from_uuid(low), UserId::from_uuid(high))
                    }),
                });
            }
        }
        Ok(found)
    }

    /// The friends of these people: each with a friend.
    pub async fn friends_of(&self, people: &[UserId]) -> Result<Vec<(UserId, UserId)>, Error> {
        let mut found = Vec::new();
        for people in people.chunks(NAMED_PER_STATEMENT) {
            let rows: Vec<(Uuid, Uuid)> = friendship::Entity::find()
                .select_only()
                .column(friendship::Column::UserId)
                .column(friendship::Column::FriendId)
                .filter(friendship::Column::UserId.is_in(people.iter().map(|id| id.uuid())))
                .into_tuple()
                .all(&self.db)
                .await?;
            let pair = |(user, friend)| (UserId::from_uuid(user), UserId::from_uuid(friend));
            found.extend(rows.into_iter().map(pair));
        }
        Ok(found)
    }
}
