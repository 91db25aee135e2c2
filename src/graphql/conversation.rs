//! Conversations.

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::{
    context::{chat, signed_in, viewer},
    error::{Fault, UserError, payload, payloads},
    membership::{MemberRole, Membership, MembershipConnection},
    message::{Message, MessageConnection},
    page::connection,
    permissions::{ConversationPermissions, MemberPolicy},
    scalar::DateTime,
    user::patch,
};
use crate::{
    chat::{CreateConversation, Error, MessagesBetween, Rejection, UpdateConversation},
    model::{
        self, ConversationId,
        conversation::ConversationKey,
        page::{PageArguments, cursor},
    },
};

/// Sort of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum ConversationKind {
    /// People who were added; nobody else knows of it.
    Group,
}

impl From<model::ConversationKind> for ConversationKind {
    fn from(kind: model::ConversationKind) -> Self {
        match kind {
            model::ConversationKind::Group => Self::Group,
        }
    }
}

impl From<ConversationKind> for model::ConversationKind {
    fn from(kind: ConversationKind) -> Self {
        match kind {
            ConversationKind::Group => Self::Group,
        }
    }
}

/// Kinds that `createConversation` makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum CreatableConversationKind {
    /// A group.
    Group,
}

impl From<CreatableConversationKind> for model::ConversationKind {
    fn from(kind: CreatableConversationKind) -> Self {
        match kind {
            CreatableConversationKind::Group => Self::Group,
        }
    }
}

/// A place where messages are kept in one order that is the same for everybody.
pub(super) struct Conversation(pub(super) model::Conversation);

impl Conversation {
    /// The conversation around something that the viewer was shown, if they may see it still. Having been shown the
    /// one is no proof for the other: it is read now, and may say what came after their removal.
    pub(super) async fn seen(ctx: &Context<'_>, id: ConversationId) -> Result<Self, Fault> {
        let seen = chat(ctx)?.conversation(signed_in(ctx)?, id).await?;
        let (conversation, _) = seen.ok_or_else(|| Error::from(Rejection::no_conversation()))?;
        Ok(Self(conversation))
    }
}

/// A place where messages are kept in one order that is the same for everybody.
#[Object]
impl Conversation {
    /// When it was archived; null while it is not. An archived conversation can be read and not written to.
    async fn archived_at(&self) -> Option<DateTime> {
        self.0.archived_at.map(Into::into)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Global identifier.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Who may add members to a group; channels are joined, not added to.
    async fn invite_policy(&self) -> MemberPolicy {
        self.0.invite_policy.into()
    }

    /// What sort of conversation it is; never changes.
    async fn kind(&self) -> ConversationKind {
        self.0.kind.into()
    }

    /// The newest message; null when there is none.
    async fn last_message(&self, ctx: &Context<'_>) -> Result<Option<Message>, Fault> {
        let message = chat(ctx)?.message_by_seq(&self.0, self.0.last_seq).await?;
        Ok(message.map(Message::from))
    }

    /// Number of the newest message, and so how many there are; 0 when there is none. It never falls: when two answers cross, the larger is right.
    async fn last_seq(&self) -> i32 {
        self.0.last_seq
    }

    /// How many members it has.
    async fn member_count(&self) -> i32 {
        self.0.member_count
    }

    /// The members, by when they joined.
    #[graphql(complexity = "crate::graphql::page::cost([first, last], child_complexity)")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return members after this cursor.")] after: Option<String>,
        #[graphql(desc = "Return members before this cursor.")] before: Option<String>,
        #[graphql(desc = "Page size from the front, 1 to 100; 20 when `last` is left out too.")]
        first: Option<i32>,
        #[graphql(desc = "Page size from the back, 1 to 100; not together with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only members with one of these roles.")] roles: Option<Vec<MemberRole>>,
    ) -> Result<Option<MembershipConnection>, Fault> {
        let roles: Vec<_> = roles
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect();
        let page = chat(ctx)?
            .members(
                &self.0,
                &roles,
                &PageArguments {
                    after,
                    before,
                    first,
                    last,
                },
            )
            .await?;
        Ok(Some(page.into()))
    }

    /// One message by its number; null when there is none with it.
    async fn message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Number of the message.")] seq: i32,
    ) -> Result<Option<Message>, Fault> {
        Ok(chat(ctx)?
            .message_by_seq(&self.0, seq)
            .await?
            .map(Message::from))
    }

    /// The messages in ascending order of `seq`, along which `sentAt` never goes back; members see those from before they joined too. `last: 50` gives the newest page; `last: 25, beforeSeq: 401` and `first: 25, afterSeq: 400` give the two sides of a link to message 400.
    #[expect(clippy::too_many_arguments, reason = "a Relay connection's arguments")]
    #[graphql(complexity = "crate::graphql::page::cost([first, last], child_complexity)")]
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return messages after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only messages with a greater number than this.")] after_seq: Option<i32>,
        #[graphql(desc = "Return messages before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only messages with a smaller number than this.")] before_seq: Option<i32>,
        #[graphql(desc = "Page size from the front, 1 to 100; 20 when `last` is left out too.")]
        first: Option<i32>,
        #[graphql(desc = "Page size from the back, 1 to 100; not together with `first`.")]
        last: Option<i32>,
    ) -> Result<Option<MessageConnection>, Fault> {
        let page = PageArguments {
            after,
            before,
            first,
            last,
        };
        let between = MessagesBetween {
            after_seq,
            before_seq,
        };
        Ok(Some(
            chat(ctx)?.messages(&self.0, &page, between).await?.into(),
        ))
    }

    /// Who may send messages.
    async fn posting_policy(&self) -> MemberPolicy {
        self.0.posting_policy.into()
    }

    /// Title of a group or channel, 1 to 100 characters; null for direct conversations.
    async fn title(&self) -> Option<&str> {
        self.0.title.as_deref()
    }

    /// What a group or channel is about, up to 500 characters; null when not set.
    async fn topic(&self) -> Option<&str> {
        self.0.topic.as_deref()
    }

    /// What the viewer may do here, now.
    async fn viewer_can(&self, ctx: &Context<'_>) -> Result<ConversationPermissions, Fault> {
        let place = match viewer(ctx)? {
            Some(viewer) => chat(ctx)?.conversation(viewer, self.0.id).await?,
            None => None,
        };
        Ok(ConversationPermissions::new(place.as_ref()))
    }

    /// The viewer's membership; null when they read a channel without having joined.
    async fn viewer_membership(&self, ctx: &Context<'_>) -> Result<Option<Membership>, Fault> {
        let Some(viewer) = viewer(ctx)? else {
            return Ok(None);
        };
        let place = chat(ctx)?.conversation(viewer, self.0.id).await?;
        Ok(place.map(|(_, membership)| Membership(membership)))
    }

    /// How many messages follow the last one that the viewer has read: `lastSeq` less `viewerMembership.readSeq`, which a cache can work out after every event; 0 for those who are no members.
    async fn viewer_unread_count(&self, ctx: &Context<'_>) -> Result<i32, Fault> {
        let Some(viewer) = viewer(ctx)? else {
            return Ok(0);
        };
        // Number and mark of one moment: against this object's own number, which is older, the sum could be wrong.
        let place = chat(ctx)?.conversation(viewer, self.0.id).await?;
        Ok(place.map_or(0, |(conversation, membership)| {
            conversation.last_seq - membership.read_seq
        }))
    }
}

connection! {
    "Page of conversations." ConversationConnection { "Conversations with their cursors." }
    "A conversation in a page." ConversationEdge { "Position of this conversation." "The conversation." Conversation }
}

impl From<model::Conversation> for ConversationEdge {
    fn from(conversation: model::Conversation) -> Self {
        let cursor = cursor(&ConversationKey(conversation.active_at, conversation.id));
        Self {
            cursor,
            node: Conversation(conversation),
        }
    }
}

impl From<(model::Conversation, model::Membership)> for ConversationEdge {
    fn from((conversation, _): (model::Conversation, model::Membership)) -> Self {
        conversation.into()
    }
}

#[derive(Default)]
pub(super) struct ConversationQuery;

#[Object]
impl ConversationQuery {
    /// A conversation that the viewer may see.
    async fn conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the conversation.")] id: ID,
    ) -> Result<Option<Conversation>, Fault> {
        let (Some(viewer), Ok(id)) = (viewer(ctx)?, id.parse()) else {
            return Ok(None);
        };
        Ok(chat(ctx)?
            .conversation(viewer, id)
            .await?
            .map(|(conversation, _)| Conversation(conversation)))
    }
}

/// Input of `createConversation`.
#[derive(InputObject)]
pub(super) struct CreateConversationInput {
    /// Key of up to 64 characters, chosen by the client. A second call with the same key gives the first one's result.
    idempotency_key: Option<String>,
    /// GROUP or CHANNEL.
    #[graphql(default_with = "CreatableConversationKind::Group")]
    kind: CreatableConversationKind,
    /// Up to 100 friends to add to a group.
    #[graphql(default_with = "Vec::new()")]
    member_ids: Vec<ID>,
    /// Title of 1 to 100 characters.
    title: String,
    /// Topic of up to 500 characters.
    topic: Option<String>,
}

/// Result of `createConversation`.
#[derive(Default, SimpleObject)]
pub(super) struct CreateConversationPayload {
    /// The conversation, ready for a list; null on failure.
    conversation_edge: Option<ConversationEdge>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `updateConversation`. A field left out stays as it is.
#[derive(InputObject)]
pub(super) struct UpdateConversationInput {
    /// Conversation to change.
    conversation_id: ID,
    /// New invite policy; null is refused.
    invite_policy: MaybeUndefined<MemberPolicy>,
    /// New posting policy; null is refused.
    posting_policy: MaybeUndefined<MemberPolicy>,
    /// New title; null is refused.
    title: MaybeUndefined<String>,
    /// New topic; null takes the topic away.
    topic: MaybeUndefined<String>,
}

/// Result of `updateConversation`.
#[derive(Default, SimpleObject)]
pub(super) struct UpdateConversationPayload {
    /// The conversation after the change; null on failure.
    conversation: Option<Conversation>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

payloads!(CreateConversationPayload, UpdateConversationPayload);

#[derive(Default)]
pub(super) struct ConversationMutation;

#[Object]
impl ConversationMutation {
    /// Make a group or channel with the viewer as its owner.
    async fn create_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: CreateConversationInput,
    ) -> Result<Option<CreateConversationPayload>, Fault> {
        let new = CreateConversation {
            kind: input.kind.into(),
            title: input.title,
            topic: input.topic,
            member_ids: input.member_ids.into_iter().map(|id| id.0).collect(),
            idempotency_key: input.idempotency_key,
        };
        let outcome = chat(ctx)?.create_conversation(signed_in(ctx)?, new).await;
        payload(outcome, |conversation| CreateConversationPayload {
            conversation_edge: Some(conversation.into()),
            ..Default::default()
        })
    }

    /// Change title, topic or policies of a group or channel. Needs ADMIN.
    async fn update_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: UpdateConversationInput,
    ) -> Result<Option<UpdateConversationPayload>, Fault> {
        let change = UpdateConversation {
            conversation_id: input.conversation_id.0,
            title: patch(input.title, |text| text),
            topic: patch(input.topic, |text| text),
            posting_policy: patch(input.posting_policy, Into::into),
            invite_policy: patch(input.invite_policy, Into::into),
        };
        let outcome = chat(ctx)?
            .update_conversation(signed_in(ctx)?, change)
            .await;
        payload(outcome, |conversation| UpdateConversationPayload {
            conversation: Some(Conversation(conversation)),
            ..Default::default()
        })
    }
}
