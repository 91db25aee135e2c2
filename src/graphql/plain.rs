//! Fields that can be read at once. The library makes a future of every field of every thing; of a page of messages hardly
//! one has to wait for anything, and the futures cost several times what is told. So what is selected is looked at first:
//! if all of it is there it is read, else the library resolves it.
//!
//! Both ways give the same. That holds because a field is read here only if it has no arguments and cannot fail; errors and
//! extensions have nothing to do with it. What depends on who asks is read from memory, or by the library if it is not there.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
};
use serde::{Serialize, Serializer};

use super::{context::Asker, render::Told};
use crate::{
    chat::Chat,
    model::{ConversationId, Place, User, UserId},
};

/// What was read at once, under the names that were asked for. The library's own values find each name by its hash; making
/// those cost more than reading what they hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read<'a> {
    Null,
    Boolean(bool),
    Number(i32),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(&'a Name, Self)>),
}

impl Read<'_> {
    /// As the library has it.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => value.into(),
            Self::Number(value) => value.into(),
            Self::Text(text) => Value::String(text),
            Self::List(items) => Value::List(items.into_iter().map(Self::into_value).collect()),
            Self::Object(fields) => {
                let fields = fields.into_iter();
                let value = |(name, value): (&Name, Self)| (name.clone(), value.into_value());
                Value::Object(fields.map(value).collect())
            }
        }
    }
}

impl Serialize for Read<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Boolean(value) => to.serialize_bool(*value),
            Self::Number(value) => to.serialize_i32(*value),
            Self::Text(text) => to.serialize_str(text),
            Self::List(items) => to.collect_seq(items),
            Self::Object(fields) => {
                to.collect_map(fields.iter().map(|(name, value)| (name.as_str(), value)))
            }
        }
    }
}

impl From<bool> for Read<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i32> for Read<'_> {
    fn from(value: i32) -> Self {
        Self::Number(value)
    }
}

impl From<String> for Read<'_> {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Read<'_> {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl<'a, T: Into<Read<'a>>> From<Option<T>> for Read<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Something of which fields can be read at once.
pub(super) trait Plain: OutputType {
    /// What is selected of it, if all of that can be.
    fn plain<'a>(&self, ctx: &ContextSelectionSet<'a>) -> Option<Read<'a>>;
}

impl<T: Plain> Plain for Option<T> {
    fn plain<'a>(&self, ctx: &ContextSelectionSet<'a>) -> Option<Read<'a>> {
        match self {
            Some(there) => there.plain(ctx),
            None => Some(Read::Null),
        }
    }
}

impl<T: Plain> Plain for Vec<T> {
    fn plain<'a>(&self, ctx: &ContextSelectionSet<'a>) -> Option<Read<'a>> {
        let items: Option<_> = self.iter().map(|item| item.plain(ctx)).collect();
        items.map(Read::List)
    }
}

/// Reads what is selected of an object; `read` gives the value of a field by its name, with what is selected below it.
pub(super) fn object<'a, T: OutputType>(
    ctx: &ContextSelectionSet<'a>,
    mut read: impl FnMut(&str, &ContextSelectionSet<'a>) -> Option<Read<'a>>,
) -> Option<Read<'a>> {
    let mut fields = Vec::with_capacity(ctx.item.node.items.len());
    add(&mut fields, ctx, ctx.item, &T::type_name(), &mut read)?;
    Some(Read::Object(fields))
}

fn add<'a>(
    fields: &mut Vec<(&'a Name, Read<'a>)>,
    ctx: &ContextSelectionSet<'a>,
    selected: &'a Positioned<SelectionSet>,
    type_name: &str,
    read: &mut impl FnMut(&str, &ContextSelectionSet<'a>) -> Option<Read<'a>>,
) -> Option<()> {
    for selection in &selected.node.items {
        let (directives, condition, inside) = match &selection.node {
            Selection::Field(field) => {
                add_field(fields, ctx, &field.node, type_name, read)?;
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
        add(fields, ctx, inside, type_name, read)?;
    }
    Some(())
}

fn add_field<'a>(
    fields: &mut Vec<(&'a Name, Read<'a>)>,
    ctx: &ContextSelectionSet<'a>,
    field: &'a Field,
    type_name: &str,
    read: &mut impl FnMut(&str, &ContextSelectionSet<'a>) -> Option<Read<'a>>,
) -> Option<()> {
    if !field.directives.is_empty() || !field.arguments.is_empty() {
        return None;
    }
    let name = &field.response_key().node;
    // Names are few: a request has a hundred aliases at most.
    match fields.iter().find(|(known, _)| *known == name) {
        // What is selected twice of an object is put together.
        Some((_, Read::Object(_) | Read::List(_))) => return None,
        Some(_) => return Some(()),
        None => {}
    }
    let value = match field.name.node.as_str() {
        "__typename" => type_name.into(),
        name => read(name, &ctx.with_selection_set(&field.selection_set))?,
    };
    fields.push((name, value));
    Some(())
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
            Some(read) => Ok(read.into_value()),
            None => self.0.resolve(ctx, field).await,
        }
    }
}
