//! Who is typing.

use async_graphql::{
    Context, ContextSelectionSet, ID, InputObject, Object, SimpleObject, Subscription,
};
use futures_util::future::try_join_all;
use tokio::time::Instant;
use tokio_stream::Stream;

use super::{
    context::{chat, signed_in},
    conversation::Conversation,
    error::{Fault, UserError, payload, payloads},
    json::Json,
    loader,
    plain::{self, Plain},
    render::{Opening, Told},
    surrounding::Surrounding,
    user::User,
};
use crate::{
    live::{Feed, Heard, Typer},
    model::{ConversationId, UserId},
};

/// People named in a state; the others are counted.
const NAMED_MAX: usize = 5;

/// Who is typing in one conversation, the viewer left out.
pub(super) struct TypingState {
    conversation: ConversationId,
    typers: Vec<Typer>,
}

impl TypingState {
    /// What is told, if it is this.
    pub(super) fn told(told: &Told) -> Option<Self> {
        let Heard::Typing(conversation, typing) = &told.heard else {
            return None;
        };
        Some(Self {
            conversation: *conversation,
            typers: typing.typers.clone(),
        })
    }

    fn how_many(&self) -> i32 {
        i32::try_from(self.typers.len()).unwrap_or(i32::MAX)
    }

    fn millis_left(&self) -> i32 {
        let last = self.typers.iter().map(|typer| typer.until).max();
        let left = last.map(|until| until.saturating_duration_since(Instant::now()));
        left.map_or(0, |left| {
            i32::try_from(left.as_millis()).unwrap_or(i32::MAX)
        })
    }

    fn named(&self) -> impl Iterator<Item = UserId> {
        self.typers.iter().take(NAMED_MAX).map(|typer| typer.user)
    }
}

impl Plain for TypingState {
    fn write<'a>(&self, ctx: &ContextSelectionSet<'a>, to: &mut Json<'a>) -> Option<()> {
        plain::object::<Self>(ctx, to, |field, below, to| match field {
            "conversation" => Surrounding::Named(self.conversation).write(below, to),
            "count" => to.value(&self.how_many()),
            "expiresInMs" => to.value(&self.millis_left()),
            "users" => to.list(self.named(), |id, to| {
                User(plain::known_user(ctx, id)?).write(below, to)
            }),
            _ => None,
        })
    }
}

/// Who is typing in one conversation, the viewer left out.
#[Object]
impl TypingState {
    /// The conversation.
    async fn conversation(&self, ctx: &Context<'_>) -> Result<Surrounding, Fault> {
        Surrounding::of(ctx, self.conversation).await
    }

    /// How many are typing.
    async fn count(&self) -> i32 {
        self.how_many()
    }

    /// How long to show it from its arrival unless told again, in milliseconds; 0 when nobody types.
    async fn expires_in_ms(&self) -> i32 {
        self.millis_left()
    }

    /// The first few who are typing, 5 at most.
    #[graphql(complexity = "crate::graphql::page::cost([Some(5), None], child_complexity)")]
    async fn users(&self, ctx: &Context<'_>) -> Result<Vec<User>, Fault> {
        let users = try_join_all(self.named().map(|user| loader::user(ctx, user))).await?;
        Ok(users.into_iter().flatten().map(User).collect())
    }
}

/// Input of `setTyping`.
#[derive(InputObject)]
pub(super) struct SetTypingInput {
    /// Conversation.
    conversation_id: ID,
    /// Whether the viewer types.
    is_typing: bool,
}

/// Result of `setTyping`.
#[derive(Default, SimpleObject)]
pub(super) struct SetTypingPayload {
    /// The conversation; null on failure.
    conversation: Option<Conversation>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

payloads!(SetTypingPayload);

#[derive(Default)]
pub(super) struct TypingMutation;

#[Object]
impl TypingMutation {
    /// Tell the other members that the viewer is typing, or has stopped. Kept for six seconds and never stored.
    async fn set_typing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: SetTypingInput,
    ) -> Result<Option<SetTypingPayload>, Fault> {
        let outcome = chat(ctx)?
            .set_typing(signed_in(ctx)?, &input.conversation_id, input.is_typing)
            .await;
        payload(outcome, |conversation| SetTypingPayload {
            conversation: Some(Conversation(conversation)),
            ..Default::default()
        })
    }
}

#[derive(Default)]
pub(super) struct TypingSubscription;

#[Subscription]
impl TypingSubscription {
    /// Who is typing, the current states first. Only the newest state matters, so states are left out when a client is slow.
    async fn typing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 50 conversations.")] conversation_ids: Vec<ID>,
    ) -> Result<impl Stream<Item = Option<TypingState>> + use<>, Fault> {
        let told = ctx.data_opt::<Told>().map(TypingState::told);
        if let Some(opening) = ctx.data_opt::<Opening>() {
            let named: Vec<String> = conversation_ids.into_iter().map(|id| id.0).collect();
            let feed = chat(ctx)?.follow_typing(signed_in(ctx)?, &named).await?;
            opening.put(ctx, Feed::Typing(feed));
        }
        Ok(tokio_stream::iter(told))
    }
}
