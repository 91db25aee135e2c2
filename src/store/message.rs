//! What was said.

use entity::message::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use super::{
    Error, ROWS_PER_STATEMENT, Store, TERMS_PER_STATEMENT, Transaction, any_of, many::all_of,
};
use crate::model::{
    ConversationId, Id, Message, MessageId, Page, Position, Timestamp, UserId,
    message::{MessageKey, MessagesWanted},
};

pub(super) fn from_row(row: Model) -> Message {
    Message {
        conversation: ConversationId::from_uuid(row.conversation_id),
        seq: row.seq,
        sender: UserId::from_uuid(row.sender_id),
        text: row.text,
        sent_at: Timestamp::from_millis(row.sent_at),
        position: row.position,
        idempotency_key: row.idempotency_key,
    }
}

fn to_row(message: &Message) -> ActiveModel {
    ActiveModel {
        conversation_id: Set(message.conversation.uuid()),
        seq: Set(message.seq),
        sender_id: Set(message.sender.uuid()),
        text: Set(message.text.clone()),
        sent_at: Set(message.sent_at.millis()),
        position: Set(message.position),
        idempotency_key: Set(message.idempotency_key.clone()),
    }
}

impl Store {
    /// The messages with these numbers, in no order.
    pub async fn find_messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, Error> {
        let mut found = Vec::new();
        for ids in ids.chunks(TERMS_PER_STATEMENT) {
            let any = any_of(ids, |id| {
                Column::ConversationId
                    .eq(id.conversation.uuid())
                    .and(Column::Seq.eq(id.seq))
            });
            let rows = Entity::find().filter(any).all(&self.db).await?;
            found.extend(rows.into_iter().map(from_row));
        }
        Ok(found)
    }

    /// Pages of messages.
    pub async fn list_messages(
        &self,
        wanted: &[MessagesWanted],
    ) -> Result<Vec<Page<Message>>, Error> {
        let selects = wanted.iter().map(select_messages).collect();
        let rows = all_of(&self.db, selects).await?;
        let page = |(rows, wanted): (Vec<Model>, &MessagesWanted)| {
            Page::from_rows(rows.into_iter().map(from_row).collect(), &wanted.page)
        };
        Ok(rows.into_iter().zip(wanted).map(page).collect())
    }

    /// Number of the newest message of a conversation that lies at or before a position of the log; 0 when there is none.
    pub async fn seq_at(
        &self,
        conversation: ConversationId,
        position: Position,
    ) -> Result<i32, Error> {
        let row = Entity::find()
            .filter(Column::ConversationId.eq(conversation.uuid()))
            .filter(Column::Position.lte(position))
            .order_by_desc(Column::Seq)
            .one(&self.db)
            .await?;
        Ok(row.map_or(0, |row| row.seq))
    }
}

fn select_messages(wanted: &MessagesWanted) -> Select<Entity> {
    let page = &wanted.page;
    let order = if page.from_back {
        Order::Desc
    } else {
        Order::Asc
    };
    let mut select = Entity::find()
        .filter(Column::ConversationId.eq(wanted.conversation.uuid()))
        .order_by(Column::Seq, order)
        .limit(u64::from(page.items) + 1);
    if let Some(MessageKey(seq)) = page.after {
        select = select.filter(Column::Seq.gt(seq));
    }
    if let Some(MessageKey(seq)) = page.before {
        select = select.filter(Column::Seq.lt(seq));
    }
    select
}

impl Transaction {
    /// The messages that these people sent with these keys.
    pub async fn find_messages_by_key(
        &self,
        keys: &[(ConversationId, UserId, String)],
    ) -> Result<Vec<Message>, Error> {
        let mut found = Vec::new();
        for keys in keys.chunks(TERMS_PER_STATEMENT) {
            let any = any_of(keys, |(conversation, sender, key)| {
                let theirs = Column::ConversationId
                    .eq(conversation.uuid())
                    .and(Column::SenderId.eq(sender.uuid()));
                theirs.and(Column::IdempotencyKey.eq(key))
            });
            let rows = Entity::find().filter(any).all(&self.tx).await?;
            found.extend(rows.into_iter().map(from_row));
        }
        Ok(found)
    }

    /// Stores new messages.
    pub async fn insert_messages(&self, messages: &[std::sync::Arc<Message>]) -> Result<(), Error> {
        for rows in messages.chunks(ROWS_PER_STATEMENT) {
            let rows = rows.iter().map(|message| to_row(message));
            Entity::insert_many(rows)
                .exec_without_returning(&self.tx)
                .await?;
        }
        Ok(())
    }
}
