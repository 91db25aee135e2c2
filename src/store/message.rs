//! What was said.

use std::{collections::BTreeMap, sync::Arc};

use entity::message::{Column, Entity, Model};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::{Error, Store, TERMS_PER_STATEMENT, any_of, many::all_of};
use crate::model::{
    ConversationId, Id, Message, MessageId, Page, PageRequest, Timestamp, UserId,
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

impl Store {
    /// The messages with these numbers, in no order.
    pub async fn find_messages(&self, ids: &[MessageId]) -> Result<Vec<Arc<Message>>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        let mut unknown = Vec::new();
        for id in ids {
            match self.memory.message(*id) {
                Some(message) => found.push(message),
                None => unknown.push(*id),
            }
        }
        for ids in unknown.chunks(TERMS_PER_STATEMENT) {
            let any = any_of(ids, |id| {
                Column::ConversationId
                    .eq(id.conversation.uuid())
                    .and(Column::Seq.eq(id.seq))
            });
            let rows = Entity::find().filter(any).all(&self.db).await?;
            found.extend(rows.into_iter().map(|row| self.kept(row)));
        }
        Ok(found)
    }

    fn kept(&self, row: Model) -> Arc<Message> {
        let message = Arc::new(from_row(row));
        self.memory.keep_message(&message);
        message
    }

    /// Pages of messages that there are. Numbers are dense, so which messages a page has follows from what is wanted.
    pub async fn list_messages(
        &self,
        wanted: &[MessagesWanted],
    ) -> Result<Vec<Page<Arc<Message>>>, Error> {
        let in_memory = |wanted| self.messages_in_memory(wanted);
        let mut found: Vec<_> = wanted.iter().map(in_memory).collect();
        let unknown = || {
            wanted
                .iter()
                .zip(&found)
                .filter(|(_, found)| found.is_none())
        };
        let selects: Vec<_> = unknown()
            .map(|(wanted, _)| select_messages(wanted))
            .collect();
        if !selects.is_empty() {
            let recent: Vec<_> = unknown().map(|(wanted, _)| self.recent(wanted)).collect();
            let rows = all_of(&self.db, selects).await?;
            let missing = found.iter_mut().zip(wanted);
            let missing = missing.filter(|(found, _)| found.is_none());
            for (((missing, wanted), rows), recent) in missing.zip(rows).zip(recent) {
                let filed = rows.into_iter().map(|row| self.kept(row));
                *missing = Some(in_order(filed.chain(recent), wanted));
            }
        }
        let page = |(found, wanted): (Option<_>, &MessagesWanted)| {
            Page::from_rows(found.unwrap_or_default(), &wanted.page)
        };
        Ok(found.into_iter().zip(wanted).map(page).collect())
    }

    /// Those of a page that may not be among their conversation's in the database.
    fn recent(&self, wanted: &MessagesWanted) -> Vec<Arc<Message>> {
        let MessagesWanted {
            conversation, page, ..
        } = wanted;
        let is_before =
            |message: &Message| page.after.as_ref().is_some_and(|at| message.seq <= at.0);
        let is_behind =
            |message: &Message| page.before.as_ref().is_some_and(|at| message.seq >= at.0);
        let recent = self.memory.recent();
        let of_page = recent.between(*conversation, is_before, is_behind).cloned();
        if page.from_back {
            of_page.rev().take(with_one_behind(page)).collect()
        } else {
            of_page.take(with_one_behind(page)).collect()
        }
    }

    /// The messages of a page and the one behind it, if all of them are in memory.
    fn messages_in_memory(&self, wanted: &MessagesWanted) -> Option<Vec<Arc<Message>>> {
        let page = &wanted.page;
        let first = page.after.as_ref().map_or(1, |at| at.0.saturating_add(1));
        let last = page.before.as_ref()?.0.saturating_sub(1);
        let items = i32::try_from(page.items).ok()?;
        let message = |seq| {
            let conversation = wanted.conversation;
            self.memory.message(MessageId { conversation, seq })
        };
        if page.from_back {
            let first = Ord::max(first, last.saturating_sub(items));
            (first..=last).rev().map(message).collect()
        } else {
            let last = Ord::min(last, first.saturating_add(items));
            (first..=last).map(message).collect()
        }
    }
}

/// The messages of a page and the one behind it, in the order of the page. Some may be given twice.
fn in_order(
    messages: impl Iterator<Item = Arc<Message>>,
    wanted: &MessagesWanted,
) -> Vec<Arc<Message>> {
    let by_number: BTreeMap<_, _> = messages.map(|message| (message.seq, message)).collect();
    let messages = by_number.into_values();
    if wanted.page.from_back {
        messages.rev().take(with_one_behind(&wanted.page)).collect()
    } else {
        messages.take(with_one_behind(&wanted.page)).collect()
    }
}

fn with_one_behind(page: &PageRequest<MessageKey>) -> usize {
    usize::try_from(page.items)
        .unwrap_or(usize::MAX)
        .saturating_add(1)
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
