//! Who is in which conversation.

use entity::{
    conversation,
    membership::{ActiveModel, Column, Entity, Model},
    user,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, JoinType, Order,
    QueryFilter, QueryOrder, QuerySelect, RelationDef, Select, sea_query::OnConflict,
};

use super::{
    Error, ROWS_PER_STATEMENT, Store, TERMS_PER_STATEMENT, Transaction, any_of, many::all_of,
    user::is_here,
};
use crate::model::{
    ConversationId, Id, Membership, MembershipId, Page, Position, RemovalReason, Role, Timestamp,
    UserId,
    membership::{MembersWanted, MembershipKey},
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

pub(super) fn role_text(role: Role) -> &'static str {
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
        RemovalReason::Banned => "BANNED",
    }
}

pub(super) fn role(text: &str) -> Result<Role, Error> {
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
        read_at: Timestamp::from_millis(row.read_at),
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
        read_at: Set(membership.read_at.millis()),
        left_position: Set(None),
        left_reason: Set(None),
    }
}

/// From a membership to whose it is.
pub(super) fn of_user() -> RelationDef {
    Entity::belongs_to(user::Entity)
        .from(Column::UserId)
        .to(user::Column::Id)
        .into()
}

impl Store {
    /// The current memberships with these identifiers, in conversations that are not deleted.
    pub async fn find_memberships_by_id(
        &self,
        ids: &[MembershipId],
    ) -> Result<Vec<Membership>, Error> {
        let of_conversation = Entity::belongs_to(conversation::Entity)
            .from(Column::ConversationId)
            .to(conversation::Column::Id);
        let rows = Entity::find()
            .filter(Column::Id.is_in(ids.iter().map(|id| id.uuid())))
            .filter(Column::LeftPosition.is_null())
            .filter(conversation::Column::DeletedPosition.is_null())
            .filter(is_here())
            .join(JoinType::InnerJoin, of_conversation.into())
            .join(JoinType::InnerJoin, of_user())
            .all(&self.db)
            .await?;
        rows.iter().map(from_row).collect()
    }

    /// The current memberships of these people in these conversations.
    pub async fn find_memberships(
        &self,
        places: &[(ConversationId, UserId)],
    ) -> Result<Vec<Membership>, Error> {
        find_memberships(&self.db, places).await
    }

    /// Pages of members.
    pub async fn list_memberships(
        &self,
        wanted: &[MembersWanted],
    ) -> Result<Vec<Page<Membership>>, Error> {
        let selects = wanted.iter().map(select_members).collect();
        let rows = all_of(&self.db, selects).await?;
        let page = |(rows, wanted): (Vec<Model>, &MembersWanted)| {
            let rows = rows.iter().map(from_row).collect::<Result<_, _>>()?;
            Ok(Page::from_rows(rows, &wanted.page))
        };
        rows.into_iter().zip(wanted).map(page).collect()
    }
}

fn select_members(wanted: &MembersWanted) -> Select<Entity> {
    let page = &wanted.page;
    let order = if page.from_back {
        Order::Desc
    } else {
        Order::Asc
    };
    let mut select = Entity::find()
        .filter(Column::ConversationId.eq(wanted.conversation.uuid()))
        .filter(Column::LeftPosition.is_null())
        .filter(is_here())
        .join(JoinType::InnerJoin, of_user())
        .order_by(Column::JoinedPosition, order)
        .limit(u64::from(page.items) + 1);
    if !wanted.roles.is_empty() {
        let roles = wanted.roles.iter().copied().map(role_text);
        select = select.filter(Column::Role.is_in(roles));
    }
    if let Some((seq, sender)) = wanted.readers_of {
        select = select
            .filter(Column::ReadSeq.gte(seq))
            .filter(Column::UserId.ne(sender.uuid()));
    }
    if let Some(MembershipKey(position)) = page.after {
        select = select.filter(Column::JoinedPosition.gt(position));
    }
    if let Some(MembershipKey(position)) = page.before {
        select = select.filter(Column::JoinedPosition.lt(position));
    }
    select
}

async fn find_memberships(
    db: &impl ConnectionTrait,
    places: &[(ConversationId, UserId)],
) -> Result<Vec<Membership>, Error> {
    let mut found = Vec::new();
    for places in places.chunks(TERMS_PER_STATEMENT) {
        let any = any_of(places, |(conversation, user)| {
            // In each term, so that the index of current memberships serves it.
            Column::ConversationId
                .eq(conversation.uuid())
                .and(Column::UserId.eq(user.uuid()))
                .and(Column::LeftPosition.is_null())
        });
        let rows = Entity::find().filter(any).all(db).await?;
        for row in rows {
            found.push(from_row(&row)?);
        }
    }
    Ok(found)
}

impl Transaction {
    /// The current memberships of these people in these conversations.
    pub async fn find_memberships(
        &self,
        places: &[(ConversationId, UserId)],
    ) -> Result<Vec<Membership>, Error> {
        find_memberships(&self.db, places).await
    }

    /// Writes memberships, new ones or changed.
    pub fn put_memberships(&mut self, memberships: &[&Membership]) {
        let changed = memberships.iter().copied().cloned();
        self.changed.memberships.extend(changed);
        for rows in memberships.chunks(ROWS_PER_STATEMENT) {
            let changed = [
                Column::Role,
                Column::ReadSeq,
                Column::ReadPosition,
                Column::ReadAt,
            ];
            let on_conflict = OnConflict::column(Column::Id)
                .update_columns(changed)
                .to_owned();
            let rows = rows.iter().map(|membership| to_row(membership));
            self.add(&Entity::insert_many(rows).on_conflict(on_conflict));
        }
    }

    /// Ends memberships; their rows stay.
    pub fn put_ended_memberships(&mut self, ended: &[EndedMembership]) {
        self.changed.end(ended);
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
            self.add(&Entity::insert_many(rows).on_conflict(on_conflict));
        }
    }
}
