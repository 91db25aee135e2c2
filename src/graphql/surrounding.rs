//! The conversation around something that somebody was shown.

use std::borrow::Cow;

use async_graphql::{
    Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, registry::Registry,
};

use super::{
    conversation::Conversation,
    error::Fault,
    json::Json,
    plain::{self, Plain},
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
fn name(ctx: &ContextSelectionSet<'_>, id: ConversationId) -> Option<Vec<u8>> {
    let mut json = Json::new();
    plain::object::<Conversation>(ctx, &mut json, |field, _, to| match field {
        "id" => to.shown(id),
        _ => None,
    })?;
    Some(json.into_bytes())
}

impl Plain for Surrounding {
    fn write<'a>(&self, ctx: &ContextSelectionSet<'a>, to: &mut Json<'a>) -> Option<()> {
        let Self::Named(id) = self else { return None };
        // All that is read is of one moment, and nobody is looked at for the `id`.
        let mut seen: Option<Place> = None;
        plain::object::<Conversation>(ctx, to, |field, _, to| {
            if field == "id" {
                return to.shown(id);
            }
            if seen.is_none() {
                seen = Some(plain::known_place(ctx, *id)?);
            }
            Conversation::write(field, seen.as_ref()?, to)
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
            Self::Named(id) => {
                let json = name(ctx, *id).map(|json| plain::carried(ctx, json));
                Ok(json.unwrap_or_default())
            }
            Self::Seen(conversation) => conversation.resolve(ctx, field).await,
        }
    }
}
