//! Fields that can be read at once. The library makes a future of every field of every thing; of a page of messages hardly
//! one has to wait for anything, and the futures cost several times what is told. So what is selected is looked at first:
//! if all of it is there it is read, else the library resolves it.
//!
//! Both ways give the same. That holds because a field is read here only if it has no arguments, looks at nobody, and
//! cannot fail; errors and extensions have nothing to do with it.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value,
    indexmap::{IndexMap, map::Entry},
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
};

use crate::{
    chat::Chat,
    model::{User, UserId},
};

/// Something of which fields can be read at once.
pub(super) trait Plain: OutputType {
    /// What is selected of it, if all of that can be.
    fn plain(&self, ctx: &ContextSelectionSet<'_>) -> Option<Value>;
}

impl<T: Plain> Plain for Option<T> {
    fn plain(&self, ctx: &ContextSelectionSet<'_>) -> Option<Value> {
        match self {
            Some(there) => there.plain(ctx),
            None => Some(Value::Null),
        }
    }
}

impl<T: Plain> Plain for Vec<T> {
    fn plain(&self, ctx: &ContextSelectionSet<'_>) -> Option<Value> {
        let items: Option<_> = self.iter().map(|item| item.plain(ctx)).collect();
        items.map(Value::List)
    }
}

/// Reads what is selected of an object; `read` gives the value of a field by its name, with what is selected below it.
pub(super) fn object<T: OutputType>(
    ctx: &ContextSelectionSet<'_>,
    read: impl Fn(&str, &ContextSelectionSet<'_>) -> Option<Value>,
) -> Option<Value> {
    let mut values = IndexMap::with_capacity(ctx.item.node.items.len());
    add(&mut values, ctx, ctx.item, &T::type_name(), &read)?;
    Some(Value::Object(values))
}

fn add<'a>(
    values: &mut IndexMap<Name, Value>,
    ctx: &ContextSelectionSet<'a>,
    selected: &'a Positioned<SelectionSet>,
    type_name: &str,
    read: &impl Fn(&str, &ContextSelectionSet<'_>) -> Option<Value>,
) -> Option<()> {
    for selection in &selected.node.items {
        let (directives, condition, inside) = match &selection.node {
            Selection::Field(field) => {
                add_field(values, ctx, &field.node, type_name, read)?;
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
        let fits = condition.is_none_or(|condition| condition.node.on.node == type_name);
        if !directives.is_empty() || !fits {
            return None;
        }
        add(values, ctx, inside, type_name, read)?;
    }
    Some(())
}

fn add_field<'a>(
    values: &mut IndexMap<Name, Value>,
    ctx: &ContextSelectionSet<'a>,
    field: &'a Field,
    type_name: &str,
    read: &impl Fn(&str, &ContextSelectionSet<'_>) -> Option<Value>,
) -> Option<()> {
    if !field.directives.is_empty() || !field.arguments.is_empty() {
        return None;
    }
    let vacant = match values.entry(field.response_key().node.clone()) {
        Entry::Vacant(vacant) => vacant,
        // What is selected twice of an object is put together.
        Entry::Occupied(known) if matches!(known.get(), Value::Object(_) | Value::List(_)) => {
            return None;
        }
        Entry::Occupied(_) => return Some(()),
    };
    vacant.insert(match field.name.node.as_str() {
        "__typename" => type_name.into(),
        name => read(name, &ctx.with_selection_set(&field.selection_set))?,
    });
    Some(())
}

/// A person, if they are in memory.
pub(super) fn known_user(ctx: &ContextSelectionSet<'_>, id: UserId) -> Option<Arc<User>> {
    ctx.data_opt::<Arc<Chat>>()?.known_user(id)
}

/// A text, or nothing.
pub(super) fn text_or_null(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
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
        match self.0.plain(ctx) {
            Some(value) => Ok(value),
            None => self.0.resolve(ctx, field).await,
        }
    }
}
