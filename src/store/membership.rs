//! Who is in which conversation.

use entity::{
    conversation,
    membership::{ActiveModel, Column, Entity, Model},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait, JoinType, Order, QueryFilter,
    QueryOrder, QuerySelect, sea_query::OnConflict,
};

use super::{Error, ROWS_PER_STATEMENT, Store, Transaction};
use crate::model::{
    ConversationId, Id, Membership, MembershipId, Message, Page, PageRequest, Position,
    RemovalReason, Role, Timestamp, UserId, membership::MembershipKey,
};

/// A membership that ended, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedMembership {
    /// As it was last.
    pub membership: Membership,
    /// Position of the leaving.
    pub position: Position,
    /// Why.
    pub reason: RemovalReason,
}

fn role_text(role: Role) -> &'static str {
    match role {
        Role::Owner => "OWNER",
        Role::Admin => "ADMIN",
        Role::Member => "MEMBER",
    }
}

fn reason_text(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::Left => "LEFT",
        RemovalReason::Removed => "REMOVED",
    }
}

fn role(text: &str) -> Result<Role, Error> {
    match text {
        "OWNER" => Ok(Role::Owner),
        "ADMIN" => Ok(Role::Admin),
        "MEMBER" => Ok(Role::Member),
        _ => Err(Error::Corrupt("role")),
    }
}

pub(super) fn from_row(row: &Model) -> Result<Membership, Error> {
    Ok(Membership {
        id: MembershipId::from_uuid(row.id),
        conversation: ConversationId::from_uuid(row.conversation_id),
        user: UserId::from_uuid(row.user_id),
        role: role(&row.role)?,
        joined_at: Timestamp::from_millis(row.joined_at),
        joined_position: row.joined_position,
        read_seq: row.read_seq,
        read_position: row.read_position,
    })
}

fn to_row(membership: &Membership) -> ActiveModel {
    ActiveModel {
        id: Set(membership.id.uuid()),
        conversation_id: Set(membership.conversation.uuid()),
        user_id: Set(membership.user.uuid()),
        role: Set(role_text(membership.role).to_owned()),
        joined_at: Set(membership.joined_at.millis()),
        joined_position: Set(membership.joined_position),
        read_seq: Set(membership.read_seq),
        read_position: Set(membership.read_position),
        left_position: Set(None),
        left_reason: Set(None),
    }
}

impl Store {
    /// A current membership with this identifier, in a conversation that is not deleted.
    pub async fn find_membership(&self, id: MembershipId) -> Result<Option<Membership>, Error> {
        let of_conversation = Entity::belongs_to(conversation::Entity)
            .from(Column::ConversationId)
            .to(conversation::Column::Id);
        let row = Entity::find_by_id(id.uuid())
            .filter(Column::LeftPosition.is_null())
            .filter(conversation::Column::DeletedPosition.is_null())
            .join(JoinType::InnerJoin, of_conversation.into())
            .one(&self.db)
            .await?;
        row.as_ref().map(from_row).transpose()
    }

    /// The members whose mark is at or beyond a message, its sender left out, by when they joined.
    pub async fn list_readers(
        &self,
        message: &Message,
        request: &PageRequest<MembershipKey>,
    ) -> Result<Page<Membership>, Error> {
        let mut select = Entity::find()
            .filter(Column::ConversationId.eq(message.conversation.uuid()))
            .filter(Column::LeftPosition.is_null())
            .filter(Column::ReadSeq.gte(message.seq))
            .filter(Column::UserId.ne(message.sender.uuid()))
            .order_by_asc(Column::JoinedPosition)
            .limit(u64::from(request.items) + 1);
        if let Some(MembershipKey(position)) = request.after {
            select = select.filter(Column::JoinedPosition.gt(position));
        }
        let rows = select.all(&self.db).await?;
        let rows = rows.iter().map(from_row).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(rows, request))
    }

    /// The members of a conversation, with one of `roles` if any is named, by when they joined.
    pub async fn list_memberships(
        &self,
        conversation: ConversationId,
        roles: &[Role],
        request: &PageRequest<MembershipKey>,
    ) -> Result<Page<Membership>, Error> {
        let order = if request.from_back {
            Order::Desc
        } else {
            Order::Asc
        };
        let mut select = Entity::find()
            .filter(Column::ConversationId.eq(conversation.uuid()))
            .filter(Column::LeftPosition.is_null())
            .order_by(Column::JoinedPosition, order)
            .limit(u64::from(request.items) + 1);
        if !roles.is_empty() {
            select = select.filter(Column::Role.is_in(roles.iter().copied().map(role_text)));
        }
        if let Some(MembershipKey(position)) = request.after {
            select = select.filter(Column::JoinedPosition.gt(position));
        }
        if let Some(MembershipKey(position)) = request.before {
            select = select.filter(Column::JoinedPosition.lt(position));
        }
        let rows = select.all(&self.db).await?;
        let rows = rows.iter().map(from_row).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(rows, request))
    }
}

impl Transaction {
    /// The current memberships of these people in these conversations.
    pub async fn find_memberships(
        &self,
        places: &[(ConversationId, UserId)],
    ) -> Result<Vec<Membership>, Error> {
        let mut found = Vec::new();
        // Each place is a term of its own, and SQLite's expressions may nest 1,000 deep.
        for places in places.chunks(400) {
            let any = places
                .iter()
                .fold(Condition::any(), |any, (conversation, user)| {
                    // In each term, so that the index of current memberships serves it.
                    any.add(
                        Column::ConversationId
                            .eq(conversation.uuid())
                            .and(Column::UserId.eq(user.uuid()))
                            .and(Column::LeftPosition.is_null()),
                    )
                });
            let rows = Entity::find().filter(any).all(&self.tx).await?;
            for row in rows {
                found.push(from_row(&row)?);
            }
        }
        Ok(found)
    }

    /// Writes memberships, new ones or changed.
    pub async fn put_memberships(&self, memberships: &[&Membership]) -> Result<(), Error> {
        for rows in memberships.chunks(ROWS_PER_STATEMENT) {
            let changed = [Column::Role, Column::ReadSeq, Column::ReadPosition];
            let on_conflict = OnConflict::column(Column::Id)
                .update_columns(changed)
                .to_owned();
            let rows = rows.iter().map(|membership| to_row(membership));
            Entity::insert_many(rows)
                .on_conflict(on_conflict)
                .exec_without_returning(&self.tx)
                .await?;
        }
        Ok(())
    }

    /// Ends memberships; their rows stay.
    pub async fn put_ended_memberships(&self, ended: &[EndedMembership]) -> Result<(), Error> {
        for rows in ended.chunks(ROWS_PER_STATEMENT) {
            let changed = [Column::LeftPosition, Column::LeftReason];
            let on_conflict = OnConflict::column(Column::Id)
                .update_columns(changed)
                .to_owned();
            let rows = rows.iter().map(|end| ActiveModel {
                left_position: Set(Some(end.position)),
                left_reason: Set(Some(reason_text(end.reason).to_owned())),
                ..to_row(&end.membership)
            });
            Entity::insert_many(rows)
                .on_conflict(on_conflict)
                .exec_without_returning(&self.tx)
                .await?;
        }
        Ok(())
    }
}
