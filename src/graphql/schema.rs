//! The three roots, put together from the nouns, and the text that clients see.

use std::sync::Arc;

use async_graphql::{
    MergedObject, MergedSubscription, SDLExportOptions, SchemaBuilder, ValidationMode,
};

use super::{
    account::AccountMutation,
    archive::ArchiveMutation,
    ban::BanMutation,
    channel::{ChannelMutation, ChannelQuery},
    conversation::ConversationQuery,
    conversation_mutation::ConversationMutation,
    direct::DirectMutation,
    event_frame::EventSubscription,
    friendship::FriendMutation,
    membership::MembershipMutation,
    message::{MessageMutation, MessageSubscription},
    node::NodeQuery,
    presence::PresenceSubscription,
    propagation::Propagation,
    session::SessionMutation,
    typing::{TypingMutation, TypingSubscription},
    user::{UserMutation, UserQuery},
};
use crate::{chat::Chat, model::Limits};

/// Reading. No field here changes anything.
#[derive(Default, MergedObject)]
pub(super) struct Query(ChannelQuery, ConversationQuery, NodeQuery, UserQuery);

#[expect(clippy::doc_markdown, reason = "the text is the schema's")]
/// Changes. Each field takes one `input` and returns a payload whose `userErrors` is empty when the change holds. Every field may be tried again after a lost answer, with the same `idempotencyKey` where its input has one: what is so already succeeds again, what is gone already is NOT_FOUND (but `signUp` says TAKEN, `changePassword` INVALID_CREDENTIALS). Lengths of text count Unicode code points.
#[derive(Default, MergedObject)]
pub(super) struct Mutation(
    AccountMutation,
    ArchiveMutation,
    BanMutation,
    ChannelMutation,
    ConversationMutation,
    DirectMutation,
    FriendMutation,
    MembershipMutation,
    MessageMutation,
    SessionMutation,
    TypingMutation,
    UserMutation,
);

/// Live streams; each operation selects one field. A stream ends with `complete` when the session ends or the right to it is lost.
#[derive(Default, MergedSubscription)]
pub(super) struct Subscription(
    EventSubscription,
    MessageSubscription,
    PresenceSubscription,
    TypingSubscription,
);

/// The whole schema.
pub(super) type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(
        Query::default(),
        Mutation::default(),
        Subscription::default(),
    )
}

/// The schema over a chat, which puts errors where the specification wants them.
pub(super) fn exact(chat: Arc<Chat>) -> Schema {
    over(chat).extension(Propagation).finish()
}

/// What may be executed first where it is executed anew when it has errors: half of what a request may cost, so that
/// together it is no more than the whole.
pub(super) fn cost_at_first_max(limits: &Limits) -> usize {
    limits.cost_max / 2
}

/// The schema over a chat, which takes errors where the library puts them: for what has none.
pub(super) fn quick(chat: Arc<Chat>) -> Schema {
    let cost_max = cost_at_first_max(chat.limits());
    over(chat).limit_complexity(cost_max).finish()
}

fn over(chat: Arc<Chat>) -> SchemaBuilder<Query, Mutation, Subscription> {
    let limits = chat.limits();
    // Documents are valid when they come here.
    builder()
        .validation_mode(ValidationMode::Fast)
        .limit_complexity(limits.cost_max)
        .data(chat)
}

/// The schema over nothing, with what it does to errors.
#[cfg(test)]
pub(super) fn without_chat() -> Schema {
    builder().extension(Propagation).finish()
}

/// A schema that can check documents and nothing else.
pub(super) fn checking() -> Schema {
    builder().finish()
}

/// The schema as clients see it, sorted.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by()
        .use_space_ident()
        .indent_width(2);
    let text = builder().finish().sdl_with_options(options);
    let mut lines: Vec<_> = text.lines().map(str::trim_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}
