//! Conversations.

use entity::{
    conversation::{ActiveModel, Column, Entity, Model},
    membership,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, OnConflict},
};

use super::{
    Error, ROWS_PER_STATEMENT, Store, Transaction, any_of, behind,
    membership::from_row as membership_from_row,
};
use crate::model::{
    Conversation, ConversationId, ConversationKind, Id, Membership, Page, PageRequest, Pair,
    Policy, Timestamp, UserId,
    conversation::{ConversationFilter, ConversationKey},
};

fn kind_text(kind: ConversationKind) -> &'static str {
    match kind {
        ConversationKind::Direct => "DIRECT",
        ConversationKind::Group => "GROUP",
        ConversationKind::Channel => "CHANNEL",
    }
}

fn kind(text: &str) -> Result<ConversationKind, Error> {
    match text {
        "DIRECT" => Ok(ConversationKind::Direct),
        "GROUP" => Ok(ConversationKind::Group),
        "CHANNEL" => Ok(ConversationKind::Channel),
        _ => Err(Error::Corrupt("kind")),
    }
}

fn policy_text(policy: Policy) -> &'static str {
    match policy {
        Policy::Everyone => "EVERYONE",
        Policy::Admins => "ADMINS",
    }
}

fn policy(text: &str) -> Result<Policy, Error> {
    match text {
        "EVERYONE" => Ok(Policy::Everyone),
        "ADMINS" => Ok(Policy::Admins),
        _ => Err(Error::Corrupt("policy")),
    }
}

pub(super) fn from_row(row: Model) -> Result<Conversation, Error> {
    Ok(Conversation {
        id: ConversationId::from_uuid(row.id),
        kind: kind(&row.kind)?,
        pair: row
            .low_id
            .zip(row.high_id)
            .map(|(low, high)| Pair::new(UserId::from_uuid(low), UserId::from_uuid(high))),
        title: row.title,
        topic: row.topic,
        posting_policy: policy(&row.posting_policy)?,
        invite_policy: policy(&row.invite_policy)?,
        created_at: Timestamp::from_millis(row.created_at),
        creation: (UserId::from_uuid(row.creator_id), row.creation_key),
        member_count: row.member_count,
        last_seq: row.last_seq,
        keyed_seq: row.keyed_seq,
        active_at: Timestamp::from_millis(row.active_at),
        head_position: row.head_position,
        archived_at: row.archived_at.map(Timestamp::from_millis),
        deleted_position: row.deleted_position,
    })
}

fn to_row(conversation: &Conversation) -> ActiveModel {
    ActiveModel {
        id: Set(conversation.id.uuid()),
        kind: Set(kind_text(conversation.kind).to_owned()),
        title: Set(conversation.title.clone()),
        topic: Set(conversation.topic.clone()),
        posting_policy: Set(policy_text(conversation.posting_policy).to_owned()),
        invite_policy: Set(policy_text(conversation.invite_policy).to_owned()),
        created_at: Set(conversation.created_at.millis()),
        creator_id: Set(conversation.creation.0.uuid()),
        creation_key: Set(conversation.creation.1.clone()),
        member_count: Set(conversation.member_count),
        last_seq: Set(conversation.last_seq),
        active_at: Set(conversation.active_at.millis()),
        head_position: Set(conversation.head_position),
        archived_at: Set(conversation.archived_at.map(Timestamp::millis)),
        deleted_position: Set(conversation.deleted_position),
        low_id: Set(conversation.pair.map(|pair| pair.low.uuid())),
        high_id: Set(conversation.pair.map(|pair| pair.high.uuid())),
        keyed_seq: Set(conversation.keyed_seq),
    }
}

/// Columns that change after the making.
const CHANGING: [Column; 11] = [
    Column::Title,
    Column::Topic,
    Column::PostingPolicy,
    Column::InvitePolicy,
    Column::MemberCount,
    Column::LastSeq,
    Column::KeyedSeq,
    Column::ActiveAt,
    Column::HeadPosition,
    Column::ArchivedAt,
    Column::DeletedPosition,
];

fn of_membership() -> sea_orm::RelationDef {
    membership::Entity::belongs_to(Entity)
        .from(membership::Column::ConversationId)
        .to(Column::Id)
        .into()
}

impl Store {
    /// A person's conversations, the one with the newest message first.
    pub async fn list_conversations(
        &self,
        user: UserId,
        filter: &ConversationFilter,
        request: &PageRequest<ConversationKey>,
    ) -> Result<Page<(Conversation, Membership)>, Error> {
        let order = (Entity, Column::ActiveAt);
        let mut select = membership::Entity::find()
            .filter(membership::Column::UserId.eq(user.uuid()))
            .filter(membership::Column::LeftPosition.is_null())
            .filter(Column::DeletedPosition.is_null())
            .join(JoinType::InnerJoin, of_membership())
            .select_also(Entity)
            .order_by_desc(Expr::col(order))
            .order_by_desc(Expr::col((Entity, Column::Id)))
            .limit(u64::from(request.items) + 1);
        select = select.filter(if filter.archived {
            Column::ArchivedAt.is_not_null()
        } else {
            Column::ArchivedAt.is_null()
        });
        if !filter.kinds.is_empty() {
            select = select.filter(Column::Kind.is_in(filter.kinds.iter().copied().map(kind_text)));
        }
        if filter.unread_only {
            let read = Expr::col((membership::Entity, membership::Column::ReadSeq));
            select = select.filter(Expr::col((Entity, Column::LastSeq)).gt(read));
        }
        if let Some(ConversationKey(at, id)) = request.after {
            select = select.filter(behind(Column::ActiveAt, Column::Id, (at, id.uuid())));
        }
        let rows = select.all(&self.db).await?;
        let rows = rows.into_iter().map(pair).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(rows, request))
    }

    /// The direct conversations of these pairs.
    pub async fn find_direct_conversations(
        &self,
        pairs: &[Pair],
    ) -> Result<Vec<Conversation>, Error> {
        find_direct_conversations(&self.db, pairs).await
    }

    /// Unread messages over all of a person's conversations that are not archived.
    pub async fn unread_count(&self, user: UserId) -> Result<i64, Error> {
        let unread = Expr::col((Entity, Column::LastSeq))
            .sub(Expr::col((membership::Entity, membership::Column::ReadSeq)))
            .sum();
        let sum: Option<Option<i64>> = membership::Entity::find()
            .select_only()
            .column_as(unread, "unread")
            .filter(membership::Column::UserId.eq(user.uuid()))
            .filter(membership::Column::LeftPosition.is_null())
            .filter(Column::DeletedPosition.is_null())
            .filter(Column::ArchivedAt.is_null())
            .join(JoinType::InnerJoin, of_membership())
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(sum.flatten().unwrap_or(0))
    }
}

fn pair(
    (membership, conversation): (membership::Model, Option<Model>),
) -> Result<(Conversation, Membership), Error> {
    let conversation = conversation.ok_or(Error::Corrupt("join"))?;
    Ok((from_row(conversation)?, membership_from_row(&membership)?))
}

async fn find_direct_conversations(
    db: &impl ConnectionTrait,
    pairs: &[Pair],
) -> Result<Vec<Conversation>, Error> {
    let any = any_of(pairs, |pair| {
        Column::LowId
            .eq(pair.low.uuid())
            .and(Column::HighId.eq(pair.high.uuid()))
    });
    let rows = Entity::find().filter(any).all(db).await?;
    rows.into_iter().map(from_row).collect()
}

impl Transaction {
    /// The conversations with these identifiers, deleted ones too.
    pub async fn find_conversations(
        &self,
        ids: &[ConversationId],
    ) -> Result<Vec<Conversation>, Error> {
        let rows = Entity::find()
            .filter(Column::Id.is_in(ids.iter().map(|id| id.uuid())))
            .all(&self.db)
            .await?;
        rows.into_iter().map(from_row).collect()
    }

    /// The direct conversations of these pairs.
    pub async fn find_direct_conversations(
        &self,
        pairs: &[Pair],
    ) -> Result<Vec<Conversation>, Error> {
        find_direct_conversations(&self.db, pairs).await
    }

    /// The conversations that these people made with these keys.
    pub async fn find_created(
        &self,
        creations: &[(UserId, String)],
    ) -> Result<Vec<Conversation>, Error> {
        let made = any_of(creations, |(creator, key)| {
            Column::CreatorId
                .eq(creator.uuid())
                .and(Column::CreationKey.eq(key))
        });
        let rows = Entity::find().filter(made).all(&self.db).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// Writes conversations, new ones or changed.
    pub fn put_conversations(&mut self, conversations: &[&Conversation]) {
        let changed = conversations.iter().copied().cloned();
        self.changed.conversations.extend(changed);
        for rows in conversations.chunks(ROWS_PER_STATEMENT) {
            let on_conflict = OnConflict::column(Column::Id)
                .update_columns(CHANGING)
                .to_owned();
            let rows = rows.iter().map(|conversation| to_row(conversation));
            self.add(&Entity::insert_many(rows).on_conflict(on_conflict));
        }
    }
}
