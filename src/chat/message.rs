//! Messages: sending, reading, following, and how far somebody has read.

use std::{collections::HashMap, sync::Arc};

use super::{
    Chat, Error, Reason, Rejection, Viewer,
    input::{Checks, id},
    place::{allowed, seen},
};
use crate::{
    live::{MessageFeed, Start, Unopened},
    log::{Batch, Needs, Write},
    model::{
        Action, Conversation, ConversationId, Heads, Id, Membership, Message, MessageId, Page,
        PageRequest, UserId,
        message::{MessageKey, MessagesWanted},
        page::PageArguments,
        text,
    },
};

/// A message that is stored for good.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The message.
    pub message: Arc<Message>,
    /// Whether it was there already, because the key was used before.
    pub was_duplicate: bool,
}

/// Bounds by number, besides a page's own cursors.
#[derive(Debug, Clone, Copy, Default)]
pub struct MessagesBetween {
    /// Only greater numbers.
    pub after_seq: Option<i32>,
    /// Only smaller numbers.
    pub before_seq: Option<i32>,
}

impl Chat {
    /// Says something. When this returns the message, it is stored for good.
    pub async fn send_message(
        &self,
        viewer: Viewer,
        conversation_id: &str,
        text: &str,
        idempotency_key: Option<&str>,
    ) -> Result<Sent, Error> {
        let mut checks = Checks::default();
        let text = checks.value("text", text::message_text(text, &self.limits));
        let key = checks.optional("idempotencyKey", idempotency_key, text::idempotency_key);
        let text = checks.done(text)?;
        let conversation = id("conversationId", conversation_id)?;
        self.rates.send(viewer.user, self.clock.now())?;
        Ok(self
            .log
            .write(SendingMessage {
                conversation,
                sender: viewer.user,
                text,
                key,
            })
            .await?)
    }

    /// Says that everything up to a message was read. Never moves backwards.
    pub async fn mark_read(
        &self,
        viewer: Viewer,
        conversation_id: &str,
        seq: i32,
    ) -> Result<Membership, Error> {
        self.mark(viewer, conversation_id, Mark::Read(seq)).await
    }

    /// Says that a message and everything after it is unread again.
    pub async fn mark_unread(
        &self,
        viewer: Viewer,
        conversation_id: &str,
        seq: i32,
    ) -> Result<Membership, Error> {
        self.mark(viewer, conversation_id, Mark::Unread(seq)).await
    }

    async fn mark(
        &self,
        viewer: Viewer,
        conversation_id: &str,
        mark: Mark,
    ) -> Result<Membership, Error> {
        let conversation = id("conversationId", conversation_id)?;
        let user = viewer.user;
        Ok(self
            .log
            .write(Marking {
                conversation,
                user,
                mark,
            })
            .await?)
    }

    /// What a page of the messages of a conversation is, ascending, in which nothing comes after what was there when the
    /// right to read it was.
    pub fn messages_wanted(
        &self,
        conversation: &Conversation,
        page: &PageArguments,
        between: MessagesBetween,
    ) -> Result<MessagesWanted, Error> {
        let mut page: PageRequest<MessageKey> = PageRequest::parse(page, &self.limits)?;
        let number = |value: Option<i32>, argument| match value {
            Some(value) if value < 0 => {
                Err(Error::BadInput(format!("`{argument}` must be 0 or more")))
            }
            value => Ok(value.map(MessageKey)),
        };
        if let Some(after) = number(between.after_seq, "afterSeq")? {
            let MessageKey(seq) = page.after.unwrap_or(after);
            page.after = Some(MessageKey(seq.max(after.0)));
        }
        if let Some(before) = number(between.before_seq, "beforeSeq")? {
            let MessageKey(seq) = page.before.unwrap_or(before);
            page.before = Some(MessageKey(seq.min(before.0)));
        }
        let is_cut = page.before.is_some();
        let end = conversation.last_seq.saturating_add(1);
        let MessageKey(before) = page.before.unwrap_or(MessageKey(end));
        page.before = Some(MessageKey(before.min(end)));
        Ok(MessagesWanted {
            conversation: conversation.id,
            page,
            is_cut,
        })
    }

    /// Pages of messages of conversations that the viewer may see.
    pub async fn messages(
        &self,
        wanted: &[MessagesWanted],
    ) -> Result<HashMap<MessagesWanted, Page<Arc<Message>>>, Error> {
        let mut pages = self.store.list_messages(wanted).await?;
        for (page, wanted) in pages.iter_mut().zip(wanted) {
            if wanted.page.from_back {
                page.has_next = wanted.is_cut;
            }
        }
        Ok(wanted.iter().cloned().zip(pages).collect())
    }

    /// Messages by their numbers, of conversations that the viewer may see.
    pub async fn messages_by_id(
        &self,
        ids: &[MessageId],
    ) -> Result<HashMap<MessageId, Arc<Message>>, Error> {
        let found = self.store.find_messages(ids).await?;
        let by_id = |message: Arc<Message>| (message.id(), message);
        Ok(found.into_iter().map(by_id).collect())
    }

    /// The messages of a conversation from a number on, or from now on (where the log stood at `heads`), for as long as
    /// the viewer may read it.
    pub async fn follow_messages(
        &self,
        viewer: Viewer,
        conversation_id: &str,
        after_seq: Option<i32>,
        heads: &Heads,
    ) -> Result<MessageFeed, Error> {
        let missing = || Error::from(Rejection::no_conversation());
        let conversation: ConversationId = conversation_id.parse().map_err(|_| missing())?;
        let start = match after_seq {
            Some(seq) if seq < 0 => {
                return Err(Error::BadInput("`afterSeq` must be 0 or more".to_owned()));
            }
            Some(seq) => Start::After(seq),
            None => Start::Now(heads[usize::from(conversation.shard(self.store.shards()))]),
        };
        let opened =
            MessageFeed::open(&self.hub, &self.store, viewer.user, conversation, start).await?;
        opened.map_err(|unopened| match unopened {
            Unopened::NotThere => missing(),
            Unopened::Beyond { last_seq } => Error::BadInput(format!(
                "`afterSeq` lies beyond the newest message, {last_seq}; load the conversation anew"
            )),
        })
    }
}

struct SendingMessage {
    conversation: ConversationId,
    sender: UserId,
    text: String,
    key: Option<String>,
}

impl Write for SendingMessage {
    type Outcome = Sent;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.sender);
        if let Some(key) = &self.key {
            needs.message_key(self.conversation, self.sender, key);
        }
    }

    /// May read, else it is not there; a known key gives its message; only then: may send.
    fn decide(&self, batch: &mut Batch) -> Result<Sent, Rejection> {
        let here = seen(batch, self.conversation, self.sender)?;
        let permission = here.may(Action::Send);
        let full = here.conversation.last_seq == i32::MAX;
        if let Some(key) = &self.key {
            match batch.message_by_key(self.conversation, self.sender, key) {
                Some(known) if known.text == self.text => {
                    return Ok(Sent {
                        message: Arc::clone(known),
                        was_duplicate: true,
                    });
                }
                Some(_) => {
                    let message = "the key was used before with another text";
                    return Err(Rejection::at("idempotencyKey", Reason::Conflict, message));
                }
                None if permission.is_err() || full => batch.refusal_hangs_on_key(),
                None => {}
            }
        }
        permission?;
        if full {
            return Err(Rejection::new(
                Reason::LimitReached,
                "the conversation has as many messages as it can hold",
            ));
        }
        let sent = batch.send(
            self.conversation,
            self.sender,
            &self.text,
            self.key.as_deref(),
        );
        let message = sent.ok_or_else(Rejection::no_conversation)?;
        Ok(Sent {
            message,
            was_duplicate: false,
        })
    }

    fn bytes(&self) -> usize {
        256 + self.text.len()
    }
}

/// How far somebody says that they have read.
#[derive(Clone, Copy)]
enum Mark {
    /// Everything up to this message is read; never moves the mark backwards.
    Read(i32),
    /// This message and everything after it is unread; never moves the mark forwards.
    Unread(i32),
}

struct Marking {
    conversation: ConversationId,
    user: UserId,
    mark: Mark,
}

impl Write for Marking {
    type Outcome = Membership;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.user);
    }

    fn decide(&self, batch: &mut Batch) -> Result<Membership, Rejection> {
        let (conversation, membership) =
            allowed(batch, self.conversation, self.user, Action::MarkRead)?;
        let read_seq = match self.mark {
            Mark::Read(seq) => membership
                .read_seq
                .max(within(seq, 0, conversation.last_seq)?),
            Mark::Unread(seq) => membership
                .read_seq
                .min(within(seq, 1, conversation.last_seq)? - 1),
        };
        batch.move_read_mark(self.conversation, self.user, read_seq);
        let after = batch.membership(self.conversation, self.user);
        after.cloned().ok_or_else(Rejection::no_conversation)
    }
}

fn within(seq: i32, min: i32, last_seq: i32) -> Result<i32, Rejection> {
    if (min..=last_seq).contains(&seq) {
        return Ok(seq);
    }
    let message = format!("`seq` must be the number of a message, {min} to {last_seq} here");
    Err(Rejection::at("seq", Reason::InvalidInput, message))
}
