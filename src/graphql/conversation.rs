//! Conversations.

use async_graphql::{Context, Enum, ID, Object};

use super::{
    context::{chat, signed_in, viewer},
    error::Fault,
    json::Json,
    loader,
    membership::{MemberRole, Membership, MembershipConnection},
    message::{Message, MessageConnection},
    page::{connection, forwards},
    permissions::{ConversationPermissions, MemberPolicy},
    scalar::DateTime,
    user::{User, UserConnection},
};
use crate::{
    chat::{Error, MessagesBetween, Rejection},
    model::{
        self, ConversationId, MessageId, Place,
        conversation::ConversationKey,
        page::{PageArguments, cursor},
    },
};

/// Sort of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum ConversationKind {
    /// Anybody signed in can find, read and join it.
    Channel,
    /// Exactly two friends; there is one at most for any two people.
    Direct,
    /// People who were added; nobody else knows of it.
    Group,
}

impl From<model::ConversationKind> for ConversationKind {
    fn from(kind: model::ConversationKind) -> Self {
        match kind {
            model::ConversationKind::Channel => Self::Channel,
            model::ConversationKind::Direct => Self::Direct,
            model::ConversationKind::Group => Self::Group,
        }
    }
}

impl From<ConversationKind> for model::ConversationKind {
    fn from(kind: ConversationKind) -> Self {
        match kind {
            ConversationKind::Channel => Self::Channel,
            ConversationKind::Direct => Self::Direct,
            ConversationKind::Group => Self::Group,
        }
    }
}

/// A place where messages are kept in one order that is the same for everybody.
pub(super) struct Conversation(pub(super) model::Conversation);

impl Conversation {
    /// The conversation around something that the viewer was shown, if they may see it still. Having been shown the
    /// one is no proof for the other: it is read now, and may say what came after their removal.
    pub(super) async fn seen(ctx: &Context<'_>, id: ConversationId) -> Result<Self, Fault> {
        let place = loader::place(ctx, id).await?;
        let place = place.ok_or_else(|| Error::from(Rejection::no_conversation()))?;
        Ok(Self(place.conversation))
    }

    /// How the viewer finds it now; nothing when they may see it no longer, or nobody is signed in.
    async fn place(&self, ctx: &Context<'_>) -> Result<Option<Place>, Fault> {
        match viewer(ctx)? {
            Some(_) => loader::place(ctx, self.0.id).await,
            None => Ok(None),
        }
    }

    /// Writes what can be read at once of one, as somebody finds it who may see it.
    pub(super) fn write(field: &str, place: &Place, to: &mut Json<'_>) -> Option<()> {
        let conversation = &place.conversation;
        match field {
            "createdAt" => to.shown(conversation.created_at),
            "lastSeq" => to.value(&conversation.last_seq),
            "memberCount" => to.value(&conversation.member_count),
            "title" => to.value(&conversation.title),
            "topic" => to.value(&conversation.topic),
            "viewerUnreadCount" => to.value(&unread(place)),
            _ => None,
        }
    }

    async fn message_at(&self, ctx: &Context<'_>, seq: i32) -> Result<Option<Message>, Fault> {
        // Nothing beyond what was there when the conversation was read.
        if !(1..=self.0.last_seq).contains(&seq) {
            return Ok(None);
        }
        let id = MessageId {
            conversation: self.0.id,
            seq,
        };
        Ok(loader::message(ctx, id).await?.map(Message))
    }
}

/// A place where messages are kept in one order that is the same for everybody.
#[Object]
impl Conversation {
    /// When it was archived; null while it is not. An archived conversation can be read and not written to.
    async fn archived_at(&self) -> Option<DateTime> {
        self.0.archived_at.map(Into::into)
    }

    /// Users who may not come back, newest ban first; null for those who may not see it.
    #[graphql(complexity = "crate::graphql::page::cost([first, None], child_complexity)")]
    async fn bans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return users after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size, 1 to 100; 20 when left out.")] first: Option<i32>,
    ) -> Result<Option<UserConnection>, Fault> {
        let Some(place) = self.place(ctx).await? else {
            return Ok(None);
        };
        let page = forwards(after, first);
        // In a box: see the loaders.
        let page = Box::pin(chat(ctx)?.bans(&place, &page)).await?;
        Ok(page.map(Into::into))
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
        self.message_at(ctx, self.0.last_seq).await
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
        let page = PageArguments {
            after,
            before,
            first,
            last,
        };
        let wanted = chat(ctx)?.members_wanted(self.0.id, roles, &page)?;
        Ok(loader::members(ctx, wanted).await?.map(Into::into))
    }

    /// One message by its number; null when there is none with it.
    async fn message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Number of the message.")] seq: i32,
    ) -> Result<Option<Message>, Fault> {
        self.message_at(ctx, seq).await
    }

    /// The messages in ascending order of `seq`, along which `sentAt` never goes back; members see those from before they joined too. `last: 50` gives the newest page; `last: 25, beforeSeq: 401` and `first: 25, afterSeq: 400` give the two sides of a link to message 400.
    #[expect(clippy::too_many_arguments, reason = "a Relay connection's arguments")]
    #[graphql(complexity = "crate::graphql::page::cost_of_large([first, last], child_complexity)")]
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
        let wanted = chat(ctx)?.messages_wanted(&self.0, &page, between)?;
        Ok(loader::messages(ctx, wanted).await?.map(Into::into))
    }

    /// The other person of a direct conversation; null for the other kinds, and when the account is gone.
    async fn peer(&self, ctx: &Context<'_>) -> Result<Option<User>, Fault> {
        let Some(pair) = self.0.pair else {
            return Ok(None);
        };
        let peer = pair.other(signed_in(ctx)?.user);
        Ok(loader::user(ctx, peer).await?.map(User))
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
        Ok(ConversationPermissions::new(
            self.place(ctx).await?.as_ref(),
        ))
    }

    /// The viewer's membership; null when they read a channel without having joined.
    async fn viewer_membership(&self, ctx: &Context<'_>) -> Result<Option<Membership>, Fault> {
        let place = self.place(ctx).await?;
        Ok(place.and_then(|place| place.membership).map(Membership))
    }

    /// How many messages follow the last one that the viewer has read: `lastSeq` less `viewerMembership.readSeq`, which a cache can work out after every event; 0 for those who are no members.
    async fn viewer_unread_count(&self, ctx: &Context<'_>) -> Result<i32, Fault> {
        // Number and mark of one moment: against this object's own number, which is older, the sum could be wrong.
        Ok(self.place(ctx).await?.as_ref().map_or(0, unread))
    }
}

fn unread(place: &Place) -> i32 {
    let membership = place.membership.as_ref();
    membership.map_or(0, |own| place.conversation.last_seq - own.read_seq)
}

connection! {
    "Page of conversations." ConversationConnection { "Conversations with their cursors." Vec<ConversationEdge> }
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
        let (Some(_), Ok(id)) = (viewer(ctx)?, id.parse()) else {
            return Ok(None);
        };
        let place = loader::place(ctx, id).await?;
        Ok(place.map(|place| Conversation(place.conversation)))
    }
}
