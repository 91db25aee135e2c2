//! The conversation around something that somebody was shown.

use std::borrow::Cow;

use async_graphql::{
    Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, registry::Registry,
};

use super::{
    conversation::Conversation,
    error::Fault,
    plain::{self, Plain, Read},
};
use crate::model::{ConversationId, Place};

/// Which conversation it is, or the conversation itself. Whoever was shown something in it may know which one it is; so if
/// no more than its `id` is selected nobody is looked at, and all who hear of it are told alike.
pub(super) enum Surrounding {
    Named(ConversationId),
    Seen(Box<Conversation>),
}

impl Surrounding {
    /// The one with this identifier. An error when more is selected than its `id` and the viewer may see it no longer.
    pub(super) async fn of(ctx: &Context<'_>, id: ConversationId) -> Result<Self, Fault> {
        let selected = ctx.with_selection_set(&ctx.item.node.selection_set);
        if name(&selected, id).is_some() {
            return Ok(Self::Named(id));
        }
        Ok(Self::Seen(Box::new(Conversation::seen(ctx, id).await?)))
    }
}

/// What is selected, if that is its `id` alone.
fn name<'a>(ctx: &ContextSelectionSet<'a>, id: ConversationId) -> Option<Read<'a>> {
    plain::object::<Conversation>(ctx, |field, _| {
        (field == "id").then(|| id.to_string().into())
    })
}

impl Plain for Surrounding {
    fn plain<'a>(&self, ctx: &ContextSelectionSet<'a>) -> Option<Read<'a>> {
        let Self::Named(id) = self else { return None };
        // All that is read is of one moment, and nobody is looked at for the `id`.
        let mut seen: Option<Place> = None;
        plain::object::<Conversation>(ctx, |field, _| {
            if field == "id" {
                return Some(id.to_string().into());
            }
            if seen.is_none() {
                seen = Some(plain::known_place(ctx, *id)?);
            }
            Conversation::read(field, seen.as_ref()?)
        })
    }
}

impl OutputType for Surrounding {
    fn type_name() -> Cow<'static, str> {
        <Conversation as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Conversation as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match self {
            Self::Named(id) => Ok(name(ctx, *id).map(Read::into_value).unwrap_or_default()),
            Self::Seen(conversation) => conversation.resolve(ctx, field).await,
        }
    }
}
