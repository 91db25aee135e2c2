//! Fields that can be read at once. The library makes a future of every field of every thing; of a page of messages hardly
//! one has to wait for anything, and the futures cost several times what is told. So what is selected is looked at first:
//! if all of it is there it is written into the response as it is read, else the library resolves it.
//!
//! Both ways give the same. That holds because a field is read here only if it has no arguments and cannot fail; errors and
//! extensions have nothing to do with it. What depends on who asks is read from memory, or by the library if it is not there.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
};

use super::{context::Asker, json::Json, render::Told};
use crate::{
    chat::Chat,
    model::{ConversationId, Place, User, UserId},
};

/// Something of which fields can be read at once.
pub(super) trait Plain: OutputType {
    /// Writes what is selected of it, if all of that can be read.
    fn write<'a>(&self, ctx: &ContextSelectionSet<'a>, to: &mut Json<'a>) -> Option<()>;
}

impl<T: Plain> Plain for Option<T> {
    fn write<'a>(&self, ctx: &ContextSelectionSet<'a>, to: &mut Json<'a>) -> Option<()> {
        match self {
            Some(there) => there.write(ctx, to),
            None => to.value(&()),
        }
    }
}

impl<T: Plain> Plain for Vec<T> {
    fn write<'a>(&self, ctx: &ContextSelectionSet<'a>, to: &mut Json<'a>) -> Option<()> {
        to.list(self, |item, to| item.write(ctx, to))
    }
}

/// What is selected of something, as JSON, if all of it can be read at once.
pub(super) fn read(of: &impl Plain, ctx: &ContextSelectionSet<'_>) -> Option<Vec<u8>> {
    let mut json = Json::new();
    of.write(ctx, &mut json)?;
    Some(json.into_bytes())
}

/// Writes what is selected of an object; `write` writes the value of a field by its name, with what is selected below it.
pub(super) fn object<'a, T: OutputType>(
    ctx: &ContextSelectionSet<'a>,
    to: &mut Json<'a>,
    mut write: impl FnMut(&str, &ContextSelectionSet<'a>, &mut Json<'a>) -> Option<()>,
) -> Option<()> {
    to.object(|to| add(ctx, ctx.item, &T::type_name(), to, &mut write))
}

fn add<'a>(
    ctx: &ContextSelectionSet<'a>,
    selected: &'a Positioned<SelectionSet>,
    type_name: &str,
    to: &mut Json<'a>,
    write: &mut impl FnMut(&str, &ContextSelectionSet<'a>, &mut Json<'a>) -> Option<()>,
) -> Option<()> {
    for selection in &selected.node.items {
        let (directives, condition, inside) = match &selection.node {
            Selection::Field(field) => {
                add_field(ctx, &field.node, type_name, to, write)?;
                continue;
            }
            Selection::InlineFragment(fragment) => (
                &fragment.node.directives,
                fragment.node.type_condition.as_ref(),
                &fragment.node.selection_set,
            ),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                let fragment = &ctx.query_env.fragments.get(name)?.node;
                (
                    &spread.node.directives,
                    Some(&fragment.type_condition),
                    &fragment.selection_set,
                )
            }
        };
        // A fragment on an interface is left to the library.
        let fits = condition.is_none_or(|condition| condition.node.on.node.as_str() == type_name);
        if !directives.is_empty() || !fits {
            return None;
        }
        add(ctx, inside, type_name, to, write)?;
    }
    Some(())
}

fn add_field<'a>(
    ctx: &ContextSelectionSet<'a>,
    field: &'a Field,
    type_name: &str,
    to: &mut Json<'a>,
    write: &mut impl FnMut(&str, &ContextSelectionSet<'a>, &mut Json<'a>) -> Option<()>,
) -> Option<()> {
    if !field.directives.is_empty() || !field.arguments.is_empty() {
        return None;
    }
    let key = &field.response_key().node;
    let selected = &field.selection_set;
    if to.has(key) {
        // What is selected twice of an object is put together, by the library.
        return selected.node.items.is_empty().then_some(());
    }
    to.key(key);
    match field.name.node.as_str() {
        "__typename" => to.text(type_name),
        name => write(name, &ctx.with_selection_set(selected), to),
    }
}

/// A person, if they are in memory.
pub(super) fn known_user(ctx: &ContextSelectionSet<'_>, id: UserId) -> Option<Arc<User>> {
    ctx.data_opt::<Arc<Chat>>()?.known_user(id)
}

/// A conversation as whoever hears of something in it finds it, if that is in memory and they may see it. Only for news: of a
/// page all is looked up together, and so of one moment.
pub(super) fn known_place(ctx: &ContextSelectionSet<'_>, id: ConversationId) -> Option<Place> {
    ctx.data_opt::<Told>()?;
    let viewer = ctx.data_opt::<Arc<Asker>>()?.look()?;
    ctx.data_opt::<Arc<Chat>>()?.known_place(viewer, id)
}

/// Says that nothing has to be put together with what was written already, so it may stay as it is.
pub(super) struct Verbatim;

/// JSON that was written as the library takes it.
pub(super) fn carried(ctx: &ContextSelectionSet<'_>, json: Vec<u8>) -> Value {
    match ctx.data_opt::<Verbatim>() {
        Some(Verbatim) => Value::Binary(json.into()),
        None => serde_json::from_slice(&json).unwrap_or_default(),
    }
}

/// Reads at once what can be read at once.
#[derive(Default)]
pub(super) struct AtOnce<T>(pub(super) T);

impl<T> From<T> for AtOnce<T> {
    fn from(of: T) -> Self {
        Self(of)
    }
}

impl<T: Plain> OutputType for AtOnce<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match read(&self.0, ctx) {
            Some(json) => Ok(carried(ctx, json)),
            None => self.0.resolve(ctx, field).await,
        }
    }
}
