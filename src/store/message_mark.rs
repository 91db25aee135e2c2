//! Messages of a conversation by their positions in the log.
//!
//! Numbers and positions rise together, so it is enough to know both of some messages: the others lie between them. An
//! index of all would be changed by every message, on a page of its own; of 64 one is marked. Kafka finds records in a log by such a sparse
//! index (<https://kafka.apache.org/documentation/#log>).

use entity::{message, message_mark::Column};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Func, SimpleExpr},
};

use super::{Error, Store, many::all_of, message::from_row, news::Run};
use crate::model::{ConversationId, Id, Message, Position};

impl Store {
    /// The oldest messages of each run, `each` at most.
    pub async fn messages_since(
        &self,
        runs: &[Run],
        until: Position,
        each: u64,
    ) -> Result<Vec<Vec<Message>>, Error> {
        let select = |run: &Run| {
            between(run.conversation, run.after, until)
                .filter(message::Column::Position.gt(run.after))
                .filter(message::Column::Position.lte(until))
                .order_by_asc(message::Column::Seq)
                .limit(each)
        };
        let most = usize::try_from(each).unwrap_or(usize::MAX);
        let recent = runs.iter().map(|run| self.recent_since(run, until, most));
        let recent: Vec<_> = recent.collect();
        let rows = all_of(&self.db, runs.iter().map(select).collect()).await?;
        let messages = |(rows, recent): (Vec<_>, Vec<_>)| {
            let mut messages: Vec<_> = rows.into_iter().map(from_row).collect();
            // What was filed meanwhile is in both.
            let last = messages.last().map_or(0, |message| message.seq);
            messages.extend(
                recent
                    .into_iter()
                    .filter(|message: &Message| message.seq > last),
            );
            messages.truncate(most);
            messages
        };
        Ok(rows.into_iter().zip(recent).map(messages).collect())
    }

    fn recent_since(&self, run: &Run, until: Position, most: usize) -> Vec<Message> {
        let recent = self.memory.recent();
        let is_before = |message: &Message| message.position <= run.after;
        let is_behind = |message: &Message| message.position > until;
        let since = recent.between(run.conversation, is_before, is_behind);
        since
            .take(most)
            .map(|message| Message::clone(message))
            .collect()
    }

    /// Number of the newest message of a conversation that lies at or before a position of the log; 0 when there is none.
    pub async fn seq_at(
        &self,
        conversation: ConversationId,
        position: Position,
    ) -> Result<i32, Error> {
        if let Some(seq) = self.recent_seq_at(conversation, position) {
            return Ok(seq);
        }
        let row = between(conversation, position, position)
            .filter(message::Column::Position.lte(position))
            .order_by_desc(message::Column::Seq)
            .one(&self.db)
            .await?;
        Ok(row.map_or(0, |row| row.seq))
    }

    fn recent_seq_at(&self, conversation: ConversationId, position: Position) -> Option<i32> {
        let recent = self.memory.recent();
        let is_behind = |message: &Message| message.position > position;
        let mut before = recent.between(conversation, |_| false, is_behind);
        before.next_back().map(|message| message.seq)
    }
}

/// The messages of a conversation from the last one marked at or before a position to the first one marked at or after
/// another.
fn between(
    conversation: ConversationId,
    first: Position,
    last: Position,
) -> Select<message::Entity> {
    let marks = || {
        entity::message_mark::Entity::find()
            .select_only()
            .column(Column::Seq)
            .filter(Column::ConversationId.eq(conversation.uuid()))
            .limit(1)
    };
    let before = marks()
        .filter(Column::Position.lte(first))
        .order_by_desc(Column::Position);
    let behind = marks()
        .filter(Column::Position.gte(last))
        .order_by_asc(Column::Position);
    message::Entity::find()
        .filter(message::Column::ConversationId.eq(conversation.uuid()))
        .filter(Expr::col(message::Column::Seq).gte(value_or(before, 0)))
        .filter(Expr::col(message::Column::Seq).lte(value_or(behind, i32::MAX)))
}

/// The one value of the one row, or this if there is no row.
fn value_or(select: Select<entity::message_mark::Entity>, otherwise: i32) -> SimpleExpr {
    let found = SimpleExpr::SubQuery(None, Box::new(select.into_query().into()));
    Func::coalesce([found, Expr::value(otherwise)]).into()
}
