//! The conversation around something that somebody was shown.

use std::borrow::Cow;

use async_graphql::{
    Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, registry::Registry,
};

use super::{
    conversation::Conversation,
    error::Fault,
    plain::{self, Plain},
};
use crate::model::ConversationId;

/// Which conversation it is, or the conversation itself. Whoever was shown something in it may know which one it is; so if
/// no more than its `id` is selected nobody is looked at, and all who hear of it are told alike.
pub(super) enum Surrounding {
    Named(ConversationId),
    Seen(Box<Conversation>),
}

impl Surrounding {
    /// The one with this identifier. An error when more is selected than its `id` and the viewer may see it no longer.
    pub(super) async fn of(ctx: &Context<'_>, id: ConversationId) -> Result<Self, Fault> {
        let named = Self::Named(id);
        let selected = ctx.with_selection_set(&ctx.item.node.selection_set);
        if named.plain(&selected).is_some() {
            return Ok(named);
        }
        Ok(Self::Seen(Box::new(Conversation::seen(ctx, id).await?)))
    }
}

impl Plain for Surrounding {
    fn plain(&self, ctx: &ContextSelectionSet<'_>) -> Option<Value> {
        let Self::Named(id) = self else { return None };
        plain::object::<Conversation>(ctx, |field, _| {
            (field == "id").then(|| id.to_string().into())
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
            Self::Named(_) => Ok(self.plain(ctx).unwrap_or_default()),
            Self::Seen(conversation) => conversation.resolve(ctx, field).await,
        }
    }
}
