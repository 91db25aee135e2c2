//! Channels, as people look for them.

use entity::{
    ban, channel_word,
    conversation::{Column, Entity},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};

use super::{
    Error, ROWS_PER_STATEMENT, Store, Transaction, begins_with, behind, conversation::from_row,
};
use crate::model::{
    Conversation, ConversationId, Id, Page, PageRequest, UserId, conversation::ConversationKey,
    text,
};

impl Store {
    /// Channels that somebody may join, those whose title has a word that begins with `search`, the one with the
    /// newest message first.
    pub async fn list_channels(
        &self,
        user: UserId,
        search: Option<&str>,
        request: &PageRequest<ConversationKey>,
    ) -> Result<Page<Conversation>, Error> {
        let banned_from = Query::select()
            .column(ban::Column::ConversationId)
            .from(ban::Entity)
            .and_where(ban::Column::UserId.eq(user.uuid()))
            .and_where(
                Expr::col((ban::Entity, ban::Column::ConversationId)).equals((Entity, Column::Id)),
            )
            .to_owned();
        let mut select = Entity::find()
            .filter(Column::Kind.eq("CHANNEL"))
            .filter(Column::ArchivedAt.is_null())
            .filter(Column::DeletedPosition.is_null())
            .filter(Expr::exists(banned_from).not())
            .order_by_desc(Column::ActiveAt)
            .order_by_desc(Column::Id)
            .limit(u64::from(request.items) + 1);
        if let Some(search) = search {
            let found = Query::select()
                .column(channel_word::Column::ConversationId)
                .from(channel_word::Entity)
                .cond_where(begins_with(
                    channel_word::Column::Word,
                    &text::searched(search),
                ))
                .to_owned();
            select = select.filter(Column::Id.in_subquery(found));
        }
        if let Some(ConversationKey(at, id)) = request.after {
            select = select.filter(behind(Column::ActiveAt, Column::Id, (at, id.uuid())));
        }
        let rows = select.all(&self.db).await?;
        let rows = rows.into_iter().map(from_row).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(rows, request))
    }
}

impl Transaction {
    /// Lets a channel be found by its title.
    pub fn put_channel_words(&mut self, channel: ConversationId, title: &str) {
        self.add(
            &channel_word::Entity::delete_many()
                .filter(channel_word::Column::ConversationId.eq(channel.uuid())),
        );
        let words = text::from_each_word(title);
        for words in words.chunks(ROWS_PER_STATEMENT) {
            let rows = words.iter().map(|word| channel_word::ActiveModel {
                word: Set(word.clone()),
                conversation_id: Set(channel.uuid()),
            });
            self.add(&channel_word::Entity::insert_many(rows));
        }
    }
}
