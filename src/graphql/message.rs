//! Messages, read marks, and the stream of one conversation.

use std::sync::Arc;

use async_graphql::{
    Context, ContextSelectionSet, Enum, ID, InputObject, Object, SimpleObject, Subscription,
};
use tokio_stream::Stream;

use super::{
    context::{chat, heads, place, signed_in},
    error::{Fault, UserError, payload, payloads},
    json::Json,
    loader,
    membership::{Membership, MembershipConnection},
    page::{connection, forwards},
    plain::{self, AtOnce, Plain, known_user},
    prepared::Outcome,
    render::{Opening, Told},
    scalar::DateTime,
    surrounding::Surrounding,
    user::User,
};
use crate::{
    chat::{Error, Sent},
    live::{Feed, Heard},
    model::{self, News, message::MessageKey, page::cursor},
};

/// Something said in a conversation. A message never changes once it is sent.
pub(super) struct Message(pub(super) Arc<model::Message>);

impl Message {
    /// What is told, if it is this.
    pub(super) fn told(told: &Told) -> Option<Self> {
        let Heard::News(item) = &told.heard else {
            return None;
        };
        let News::MessageSent(message) = &item.change.news else {
            return None;
        };
        Some(Self(Arc::clone(message)))
    }
}

/// Something said in a conversation. A message never changes once it is sent.
#[Object]
impl Message {
    /// The conversation it belongs to.
    async fn conversation(&self, ctx: &Context<'_>) -> Result<Surrounding, Fault> {
        Surrounding::of(ctx, self.0.conversation).await
    }

    /// Global identifier.
    pub(super) async fn id(&self) -> ID {
        self.0.id().to_string().into()
    }

    /// The key that its sender gave with it, unique among that sender's messages in the conversation, to match it to an optimistic row; null when none was given.
    async fn idempotency_key(&self) -> Option<&str> {
        self.0.idempotency_key.as_deref()
    }

    /// Members who have read it, its sender left out, by when they joined.
    #[graphql(complexity = "crate::graphql::page::cost([first, None], child_complexity)")]
    async fn read_by(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return members after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size, 1 to 100; 20 when left out.")] first: Option<i32>,
    ) -> Result<Option<MembershipConnection>, Fault> {
        let wanted = chat(ctx)?.readers_wanted(&self.0, &forwards(after, first))?;
        if loader::place(ctx, self.0.conversation).await?.is_none() {
            return Ok(None);
        }
        Ok(loader::members(ctx, wanted).await?.map(Into::into))
    }

    /// Whether a member has read it, that is whether `seq` is at most their `readSeq`; null when the user is no member.
    async fn read_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member.")] user_id: ID,
    ) -> Result<Option<ReadStatus>, Fault> {
        let (Some(_), Ok(member)) = (
            loader::place(ctx, self.0.conversation).await?,
            user_id.parse(),
        ) else {
            return Ok(None);
        };
        let membership = loader::membership(ctx, self.0.conversation, member).await?;
        Ok(membership.map(|membership| ReadStatus::of(&self.0, &membership)))
    }

    /// Who said it; null when the account is gone.
    async fn sender(&self, ctx: &Context<'_>) -> Result<Option<User>, Fault> {
        Ok(loader::user(ctx, self.0.sender).await?.map(User))
    }

    /// When the server took it in. It never goes back along `seq`; equal times are ordered by `seq`.
    async fn sent_at(&self) -> DateTime {
        self.0.sent_at.into()
    }

    /// Position in the conversation: 1, 2, 3 and so on without a gap.
    async fn seq(&self) -> i32 {
        self.0.seq
    }

    /// Text of 1 to 10000 characters, as it was sent.
    #[graphql(complexity = 20)]
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether the viewer has read it, that is whether `seq` is at most their `readSeq`; null when they are no member.
    async fn viewer_read_status(&self, ctx: &Context<'_>) -> Result<Option<ReadStatus>, Fault> {
        let place = loader::place(ctx, self.0.conversation).await?;
        let membership = place.and_then(|place| place.membership);
        Ok(membership.map(|membership| ReadStatus::of(&self.0, &membership)))
    }
}

impl Plain for Message {
    fn write<'a>(&self, ctx: &ContextSelectionSet<'a>, to: &mut Json<'a>) -> Option<()> {
        plain::object::<Self>(ctx, to, |field, below, to| match field {
            "conversation" => Surrounding::Named(self.0.conversation).write(below, to),
            "id" => to.shown(self.0.id()),
            "idempotencyKey" => to.value(&self.0.idempotency_key),
            "sender" => User(known_user(ctx, self.0.sender)?).write(below, to),
            "sentAt" => to.shown(self.0.sent_at),
            "seq" => to.value(&self.0.seq),
            "text" => to.text(&self.0.text),
            _ => None,
        })
    }
}

/// Whether one member has read one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum ReadStatus {
    /// Read.
    Read,
    /// Not read yet.
    Unread,
}

impl ReadStatus {
    fn of(message: &model::Message, membership: &model::Membership) -> Self {
        if message.seq <= membership.read_seq {
            Self::Read
        } else {
            Self::Unread
        }
    }
}

connection! {
    "Page of messages." MessageConnection { "Messages with their cursors." AtOnce<Vec<MessageEdge>> }
    "A message in a page." MessageEdge { "Position of this message." "The message." Message }
}

impl Plain for MessageEdge {
    fn write<'a>(&self, ctx: &ContextSelectionSet<'a>, to: &mut Json<'a>) -> Option<()> {
        plain::object::<Self>(ctx, to, |field, below, to| match field {
            "cursor" => to.text(&self.cursor),
            "node" => self.node.write(below, to),
            _ => None,
        })
    }
}

impl From<Arc<model::Message>> for MessageEdge {
    fn from(message: Arc<model::Message>) -> Self {
        Self {
            cursor: cursor(&MessageKey(message.seq)),
            node: Message(message),
        }
    }
}

impl From<model::Message> for MessageEdge {
    fn from(message: model::Message) -> Self {
        Arc::new(message).into()
    }
}

/// Input of `sendMessage`.
#[derive(InputObject)]
pub(super) struct SendMessageInput {
    /// Conversation to write to.
    conversation_id: ID,
    /// Key of up to 64 characters, chosen by the client and new for each message. A second call with the same key in the same conversation gives the first one's message, however much later.
    idempotency_key: Option<String>,
    /// Text of 1 to 10000 characters, not only white space.
    text: String,
}

/// Result of `sendMessage`.
#[derive(Default, SimpleObject)]
pub(super) struct SendMessagePayload {
    /// The message, ready for a list; null on failure.
    message_edge: Option<MessageEdge>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
    /// Whether the message was there already because the key was used before.
    was_duplicate: bool,
}

impl Plain for SendMessagePayload {
    fn write<'a>(&self, ctx: &ContextSelectionSet<'a>, to: &mut Json<'a>) -> Option<()> {
        plain::object::<Self>(ctx, to, |field, below, to| match field {
            "messageEdge" => self.message_edge.write(below, to),
            "userErrors" if self.user_errors.is_empty() => to.value(&[(); 0]),
            "wasDuplicate" => to.value(&self.was_duplicate),
            _ => None,
        })
    }
}

/// Input of `markRead`.
#[derive(InputObject)]
pub(super) struct MarkReadInput {
    /// Conversation.
    conversation_id: ID,
    /// Number of the newest message that was read.
    seq: i32,
}

/// Result of `markRead`.
#[derive(Default, SimpleObject)]
pub(super) struct MarkReadPayload {
    /// The viewer's membership after the change; null on failure.
    membership: Option<Membership>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `markUnread`.
#[derive(InputObject)]
pub(super) struct MarkUnreadInput {
    /// Conversation.
    conversation_id: ID,
    /// Number of the oldest message to be unread again.
    seq: i32,
}

/// Result of `markUnread`.
#[derive(Default, SimpleObject)]
pub(super) struct MarkUnreadPayload {
    /// The viewer's membership after the change; null on failure.
    membership: Option<Membership>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

payloads!(SendMessagePayload, MarkReadPayload, MarkUnreadPayload);

#[derive(Default)]
pub(super) struct MessageMutation;

#[Object]
impl MessageMutation {
    /// Say that everything up to a message was read. Never moves backwards.
    async fn mark_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: MarkReadInput,
    ) -> Result<Option<MarkReadPayload>, Fault> {
        let outcome = chat(ctx)?
            .mark_read(signed_in(ctx)?, &input.conversation_id, input.seq)
            .await;
        payload(outcome, |membership| MarkReadPayload {
            membership: Some(Membership(membership)),
            ..Default::default()
        })
    }

    /// Say that a message and everything after it is unread again.
    async fn mark_unread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: MarkUnreadInput,
    ) -> Result<Option<MarkUnreadPayload>, Fault> {
        let outcome = chat(ctx)?
            .mark_unread(signed_in(ctx)?, &input.conversation_id, input.seq)
            .await;
        payload(outcome, |membership| MarkUnreadPayload {
            membership: Some(Membership(membership)),
            ..Default::default()
        })
    }

    /// Say something. When this returns the message, it is stored for good.
    async fn send_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: SendMessageInput,
    ) -> Result<Option<AtOnce<SendMessagePayload>>, Fault> {
        let key = input.idempotency_key.as_deref();
        let send =
            chat(ctx)?.send_message(signed_in(ctx)?, &input.conversation_id, &input.text, key);
        let outcome = match ctx.data_opt::<Outcome>() {
            Some(known) => known.or_send(send).await,
            None => send.await,
        };
        let payload = payload(
            outcome,
            |Sent {
                 message,
                 was_duplicate,
             }| SendMessagePayload {
                message_edge: Some(message.into()),
                was_duplicate,
                ..Default::default()
            },
        )?;
        Ok(payload.map(AtOnce))
    }
}

/// The number that a client of an event stream had last.
fn seq(place: &str) -> Result<i32, Error> {
    let wrong = |_| Error::BadInput("`Last-Event-ID` must be the number of a message".to_owned());
    place.parse().map_err(wrong)
}

#[derive(Default)]
pub(super) struct MessageSubscription;

#[Subscription]
impl MessageSubscription {
    /// Messages of one conversation in order of `seq`, without a gap or a repeat.
    async fn message_sent(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Number of the newest message that the client has: the stream begins with the one after it. Without it the stream starts now."
        )]
        after_seq: Option<i32>,
        #[graphql(desc = "Conversation to follow.")] conversation_id: ID,
    ) -> Result<impl Stream<Item = Option<Message>> + use<>, Fault> {
        // Executed once to open the stream, and once for each piece of news that nobody has rendered yet.
        let told = ctx.data_opt::<Told>().map(Message::told);
        if let Some(opening) = ctx.data_opt::<Opening>() {
            let viewer = signed_in(ctx)?;
            let after_seq = match place(ctx)? {
                Some(place) => Some(seq(place)?),
                None => after_seq,
            };
            let feed = chat(ctx)?
                .follow_messages(viewer, &conversation_id, after_seq, heads(ctx)?)
                .await?;
            opening.put(ctx, Feed::Messages(feed));
        }
        Ok(tokio_stream::iter(told))
    }
}
