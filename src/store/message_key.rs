//! Which message was sent with which key: by the index, and by the messages whose keys are not in it yet.

use std::sync::Arc;

use entity::{conversation, message, message_key};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    prelude::Uuid,
    sea_query::{Expr, SimpleExpr},
};

use super::{
    Error, TERMS_PER_STATEMENT, Transaction, Writer, any_of, many::all_of, memory::Memory,
    message::from_row,
};
use crate::model::{ConversationId, Id, Message, UserId};

type Key = (ConversationId, UserId, String);

impl Transaction {
    /// The messages that these people sent with these keys: those of `newest` among the messages whose keys are not in the
    /// index, which are looked at one after the other, and those of `keys` by the index.
    pub async fn find_messages_by_key<'a>(
        &self,
        newest: impl Iterator<Item = &'a Key>,
        keys: impl Iterator<Item = &'a Key>,
    ) -> Result<Vec<Arc<Message>>, Error> {
        let mut found = Vec::new();
        let mut selects = Vec::new();
        for key in newest {
            match self.recent_by_key(key) {
                Some(message) => found.push(message),
                None => selects.push(newer(key)),
            }
        }
        selects.extend(keys.map(indexed));
        if !selects.is_empty() {
            let filed = all_of(&self.db, selects).await?;
            found.extend(filed.into_iter().flatten().map(from_row).map(Arc::new));
        }
        Ok(found)
    }

    fn recent_by_key(&self, (conversation, sender, key): &Key) -> Option<Arc<Message>> {
        let recent = self.memory.recent();
        let mut found = recent.of(*conversation);
        let message = found.find(|message| {
            message.sender == *sender && message.idempotency_key.as_ref() == Some(key)
        });
        message.cloned()
    }

    /// The keys of the messages in these conversations that are newer than a number, and who gave them.
    pub async fn find_keys_after(
        &self,
        places: &[(ConversationId, i32)],
    ) -> Result<Vec<Key>, Error> {
        use message::Column;
        let mut found = recent_keys(&self.memory, places.iter().map(|(id, _)| *id));
        for places in places.chunks(TERMS_PER_STATEMENT) {
            let newer = any_of(places, |(conversation, seq)| {
                Column::ConversationId
                    .eq(conversation.uuid())
                    .and(Column::Seq.gt(*seq))
            });
            let rows: Vec<(Uuid, Uuid, String)> = message::Entity::find()
                .select_only()
                .columns([
                    Column::ConversationId,
                    Column::SenderId,
                    Column::IdempotencyKey,
                ])
                .filter(newer)
                .filter(Column::IdempotencyKey.is_not_null())
                .into_tuple()
                .all(&self.db)
                .await?;
            found.extend(rows.into_iter().map(|(conversation, sender, key)| {
                let conversation = ConversationId::from_uuid(conversation);
                (conversation, UserId::from_uuid(sender), key)
            }));
        }
        Ok(found)
    }
}

impl Writer {
    /// The keys of the messages in these conversations that are not filed, and who gave them.
    pub fn recent_keys(&self, conversations: &[ConversationId]) -> Vec<Key> {
        recent_keys(&self.memory, conversations.iter().copied())
    }
}

fn recent_keys(memory: &Memory, conversations: impl Iterator<Item = ConversationId>) -> Vec<Key> {
    let recent = memory.recent();
    let mut found = Vec::new();
    for conversation in conversations {
        found.extend(recent.of(conversation).filter_map(|message| {
            let key = message.idempotency_key.clone()?;
            Some((conversation, message.sender, key))
        }));
    }
    found
}

/// The message whose number the index has for a key.
fn indexed((conversation, sender, key): &Key) -> Select<message::Entity> {
    use message_key::Column;
    let seq = message_key::Entity::find()
        .select_only()
        .column(Column::Seq)
        .filter(Column::ConversationId.eq(conversation.uuid()))
        .filter(Column::SenderId.eq(sender.uuid()))
        .filter(Column::IdempotencyKey.eq(key));
    message::Entity::find()
        .filter(message::Column::ConversationId.eq(conversation.uuid()))
        .filter(Expr::col(message::Column::Seq).eq(one(seq)))
}

/// The message with a key among those whose keys are not in the index yet.
fn newer((conversation, sender, key): &Key) -> Select<message::Entity> {
    use message::Column;
    let keyed_seq = conversation::Entity::find()
        .select_only()
        .column(conversation::Column::KeyedSeq)
        .filter(conversation::Column::Id.eq(conversation.uuid()));
    message::Entity::find()
        .filter(Column::ConversationId.eq(conversation.uuid()))
        .filter(Expr::col(Column::Seq).gt(one(keyed_seq)))
        .filter(Column::SenderId.eq(sender.uuid()))
        .filter(Column::IdempotencyKey.eq(key))
}

/// The one value of the one row.
fn one(
    select: impl QueryTrait<QueryStatement = sea_orm::sea_query::SelectStatement>,
) -> SimpleExpr {
    SimpleExpr::SubQuery(None, Box::new(select.into_query().into()))
}
