//! A subscription executed for one piece of news.
//!
//! The library checks, counts and copies at each execution what was looked at when the subscription was opened. What is left
//! to do is to resolve its one field; this does it as the code does that the library generates for the items of a stream. What
//! it takes for that is public for that code alone, so the version is pinned.

use std::sync::Arc;

use async_graphql::{
    Context, ContextSelectionSet, Data, Name, OutputType, Positioned, QueryPathNode,
    QueryPathSegment, SchemaEnv, ServerResult, Value, Variables, parser::types::Field,
};
use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::{
    context::Asker,
    error::Fault,
    event_frame::EventFrame,
    message::Message,
    plain::Plain,
    plan::Plan,
    prepared::{environment, has_errors},
    presence::Presence,
    render::Told,
    typing::TypingState,
};
use crate::live::Heard;

/// A response without errors, as bytes; none when there would be errors in it, or it cannot be made in this way.
pub(super) async fn tell(
    schema: &SchemaEnv,
    plan: &Plan,
    variables: &Variables,
    asker: Arc<Asker>,
    told: Told,
) -> Option<Bytes> {
    let field = plan.only_field()?;
    let mut data = Data::default();
    data.insert(asker);
    data.insert(told);
    let env = environment(plan, variables, data)?;
    let key = &field.node.response_key().node;
    let node = QueryPathNode {
        parent: None,
        segment: QueryPathSegment::Name(key),
    };
    let ctx = env.create_context(schema, Some(node), field, None);
    let below = ctx.with_selection_set(&field.node.selection_set);
    let told = ctx.data_opt::<Told>()?;
    let read = match &told.heard {
        Heard::News(_) => Message::told(told).plain(&below),
        Heard::Typing(..) => TypingState::told(told).plain(&below),
        Heard::Presence(..) | Heard::Frame(_) => None,
    };
    if let Some(read) = read {
        return response(key, &read);
    }
    let value = resolve(&ctx, &below, field, told).await.ok()?;
    if has_errors(&env) {
        return None;
    }
    response(key, &value)
}

async fn resolve(
    ctx: &Context<'_>,
    below: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
    told: &Told,
) -> ServerResult<Value> {
    match &told.heard {
        Heard::News(_) => Message::told(told).resolve(below, field).await,
        Heard::Typing(..) => TypingState::told(told).resolve(below, field).await,
        Heard::Presence(..) => Presence::told(told).resolve(below, field).await,
        Heard::Frame(frame) => {
            let frame = EventFrame::new(ctx, frame, told.is_again, &told.unheard).await;
            let frame = frame.map_err(Fault::into_server_error)?;
            Some(frame).resolve(below, field).await
        }
    }
}

fn response(key: &Name, value: &impl Serialize) -> Option<Bytes> {
    #[derive(Serialize)]
    struct Body<T> {
        data: T,
    }
    struct Field<'a, T>(&'a Name, &'a T);
    impl<T: Serialize> Serialize for Field<'_, T> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.collect_map([(self.0.as_str(), self.1)])
        }
    }
    let data = Field(key, value);
    Some(serde_json::to_vec(&Body { data }).ok()?.into())
}
