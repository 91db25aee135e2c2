//! Who may not come back to a conversation.

use entity::{
    ban::{ActiveModel, Column, Entity},
    user,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};

use super::{
    Error, Store, TERMS_PER_STATEMENT, Transaction, any_of, behind,
    user::{from_row as user_from_row, is_here},
};
use crate::model::{
    Ban, ConversationId, Id, Page, PageRequest, Timestamp, User, UserId, friend::NewestKey,
};

impl Store {
    /// The people who may not come back to a conversation, the newest ban first.
    pub async fn list_bans(
        &self,
        conversation: ConversationId,
        request: &PageRequest<NewestKey>,
    ) -> Result<Page<(Ban, User)>, Error> {
        let of_user = Entity::belongs_to(user::Entity)
            .from(Column::UserId)
            .to(user::Column::Id);
        let mut select = Entity::find()
            .filter(Column::ConversationId.eq(conversation.uuid()))
            .filter(is_here())
            .join(JoinType::InnerJoin, of_user.into())
            .select_also(user::Entity)
            .order_by_desc(Column::BannedAt)
            .order_by_desc(Column::UserId)
            .limit(u64::from(request.items) + 1);
        if let Some(NewestKey(at, id)) = request.after {
            select = select.filter(behind(Column::BannedAt, Column::UserId, (at, id)));
        }
        let mut found = Vec::new();
        for (row, banned) in select.all(&self.db).await? {
            let ban = Ban {
                conversation,
                user: UserId::from_uuid(row.user_id),
                banned_at: Timestamp::from_millis(row.banned_at),
            };
            found.push((ban, user_from_row(banned.ok_or(Error::Corrupt("join"))?)));
        }
        Ok(Page::from_rows(found, request))
    }
}

impl Transaction {
    /// Which of these people are banned from which of these conversations.
    pub async fn find_bans(
        &self,
        places: &[(ConversationId, UserId)],
    ) -> Result<Vec<(ConversationId, UserId)>, Error> {
        let mut found = Vec::new();
        for places in places.chunks(TERMS_PER_STATEMENT) {
            let any = any_of(places, |(conversation, user)| {
                Column::ConversationId
                    .eq(conversation.uuid())
                    .and(Column::UserId.eq(user.uuid()))
            });
            let rows = Entity::find().filter(any).all(&self.db).await?;
            found.extend(rows.iter().map(|row| {
                (
                    ConversationId::from_uuid(row.conversation_id),
                    UserId::from_uuid(row.user_id),
                )
            }));
        }
        Ok(found)
    }

    /// Adds a ban, or takes one back.
    pub fn put_ban(&mut self, ban: &Ban, stands: bool) {
        let place = (ban.conversation.uuid(), ban.user.uuid());
        if !stands {
            self.add(&Entity::delete_by_id(place));
            return;
        }
        let row = ActiveModel {
            conversation_id: Set(place.0),
            user_id: Set(place.1),
            banned_at: Set(ban.banned_at.millis()),
        };
        let newest = OnConflict::columns([Column::ConversationId, Column::UserId])
            .update_column(Column::BannedAt)
            .to_owned();
        self.add(&Entity::insert(row).on_conflict(newest));
    }
}
