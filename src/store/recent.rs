//! The newest messages, which lie where they were appended and not yet among those of their conversations.
//!
//! Put among them at once, each message would change a page of its own, for conversations lie far apart and page after
//! page is what a commit costs. Appended one after the other, many share a page; and when a conversation's turn comes all
//! that was said there lately goes to it together. So does a log-structured merge tree (O'Neil et al., "The
//! Log-Structured Merge-Tree", 1996): here is its part in memory, of which the appended rows are the journal.
//!
//! What is here is exact, as all of [`Memory`](super::memory::Memory): readers look here first, then into the database.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use entity::{message, recent_message};
use foldhash::HashMap;
use futures_util::TryStreamExt;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
    sea_query::{Expr, ExprTrait, Func, SimpleExpr},
};

use super::message::from_row;
use crate::model::{ConversationId, Message, MessageId, Position};

/// No more messages than this are filed in one transaction, which others wait for.
const FILED_MAX: usize = 256;

/// What a message takes in memory, about, as bytes.
pub(super) fn bytes(message: &Message) -> usize {
    let key = message.idempotency_key.as_ref().map_or(0, String::len);
    256 + message.text.len() + key
}

/// Which messages go among those of their conversations: of each the oldest that are here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filing {
    /// Of which conversations, up to which numbers.
    pub runs: Vec<(ConversationId, i32)>,
    /// Where they were appended.
    pub(super) positions: Vec<Position>,
    /// Messages before this position are all filed then.
    pub(super) before: Position,
}

/// The messages.
#[derive(Debug, Default)]
pub(super) struct Recent {
    conversations: HashMap<ConversationId, VecDeque<Arc<Message>>>,
    /// Whose turn is next: conversations by the oldest message that is here of each.
    turns: BTreeMap<Position, ConversationId>,
    bytes: usize,
}

impl Recent {
    /// Adds what is about to be appended, in order.
    pub(super) fn add(&mut self, messages: &[Arc<Message>]) {
        for message in messages {
            self.add_one(message);
        }
    }

    fn add_one(&mut self, message: &Arc<Message>) {
        let id = message.conversation;
        let messages = self.conversations.entry(id).or_default();
        if messages.is_empty() {
            self.turns.insert(message.position, id);
        }
        messages.push_back(Arc::clone(message));
        self.bytes += bytes(message);
    }

    /// Takes out again what was added last: it was not appended.
    pub(super) fn take_back(&mut self, messages: &[Arc<Message>]) {
        for message in messages.iter().rev() {
            let id = message.conversation;
            let Some(all) = self.conversations.get_mut(&id) else {
                continue;
            };
            if all
                .pop_back_if(|last| last.position == message.position)
                .is_some()
            {
                self.bytes -= bytes(message);
            }
            if all.is_empty() {
                self.turns.remove(&message.position);
                self.conversations.remove(&id);
            }
        }
    }

    pub(super) fn get(&self, id: MessageId) -> Option<&Arc<Message>> {
        let messages = self.conversations.get(&id.conversation)?;
        let nth = usize::try_from(id.seq.checked_sub(messages.front()?.seq)?).ok()?;
        messages.get(nth)
    }

    /// Those of a conversation, by number.
    pub(super) fn of(&self, conversation: ConversationId) -> impl Iterator<Item = &Arc<Message>> {
        self.conversations.get(&conversation).into_iter().flatten()
    }

    /// Those of a conversation that are neither before nor behind what is wanted, by number.
    pub(super) fn between(
        &self,
        conversation: ConversationId,
        is_before: impl Fn(&Message) -> bool,
        is_behind: impl Fn(&Message) -> bool,
    ) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        let messages = self.conversations.get(&conversation);
        let range = messages.map(|messages| {
            let from = messages.partition_point(|message| is_before(message));
            let to = messages.partition_point(|message| !is_behind(message));
            messages.range(from..to.max(from))
        });
        range.into_iter().flatten()
    }

    /// What has to be filed so that no more than so many bytes are here; not all of it, if that is much. Of each
    /// conversation all that is here goes, so that its next turn is far away.
    pub(super) fn filing(&self, bytes_max: usize) -> Filing {
        let mut filing = Filing::default();
        let mut left = self.bytes;
        let mut cut = None;
        for id in self.turns.values() {
            let room = FILED_MAX - filing.positions.len();
            if left <= bytes_max || room == 0 {
                break;
            }
            let mut up_to = 0;
            for message in self.of(*id).take(room) {
                up_to = message.seq;
                left -= bytes(message);
                filing.positions.push(message.position);
            }
            filing.runs.push((*id, up_to));
            cut = self.of(*id).nth(room).map(|message| message.position);
        }
        let next_turn = self.turns.keys().nth(filing.runs.len()).copied();
        filing.before = next_turn
            .into_iter()
            .chain(cut)
            .min()
            .unwrap_or(Position::MAX);
        filing
    }

    /// Forgets what was filed.
    pub(super) fn forget(&mut self, filing: &Filing) {
        for (id, up_to) in &filing.runs {
            let Some(messages) = self.conversations.get_mut(id) else {
                continue;
            };
            if let Some(first) = messages.front() {
                self.turns.remove(&first.position);
            }
            while let Some(message) = messages.pop_front_if(|message| message.seq <= *up_to) {
                self.bytes -= bytes(&message);
            }
            match messages.front() {
                Some(first) => {
                    self.turns.insert(first.position, *id);
                }
                None => {
                    self.conversations.remove(id);
                }
            }
        }
    }
}

/// Reads them as a process begins: rows of messages that are not among those of their conversations.
pub(super) async fn load(db: &DatabaseConnection) -> Result<Recent, DbErr> {
    let last_filed = message::Entity::find()
        .select_only()
        .column_as(message::Column::Seq.max(), "seq")
        .filter(
            Expr::col((message::Entity, message::Column::ConversationId)).equals((
                recent_message::Entity,
                recent_message::Column::ConversationId,
            )),
        );
    let last_filed = SimpleExpr::SubQuery(None, Box::new(last_filed.into_query().into()));
    let seq = Expr::col((recent_message::Entity, recent_message::Column::Seq));
    let mut rows = recent_message::Entity::find()
        .filter(seq.gt(Func::coalesce([last_filed, Expr::value(0)])))
        .order_by_asc(recent_message::Column::Position)
        // Their columns are the same.
        .into_model::<message::Model>()
        .stream(db)
        .await?;
    let mut recent = Recent::default();
    // One after the other: all at once they would take several times the memory, which is not given back.
    while let Some(row) = rows.try_next().await? {
        recent.add_one(&Arc::new(from_row(row)));
    }
    Ok(recent)
}
