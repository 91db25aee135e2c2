//! A subscription executed for one piece of news.
//!
//! The library checks, counts and copies at each execution what was looked at when the subscription was opened. What is left
//! to do is to resolve its one field; this does it as the code does that the library generates for the items of a stream. What
//! it takes for that is public for that code alone, so the version is pinned.

use std::sync::Arc;

use async_graphql::{
    Context, ContextSelectionSet, Data, OutputType, Positioned, QueryPathNode, QueryPathSegment,
    SchemaEnv, ServerResult, Value, Variables, parser::types::Field,
};
use bytes::Bytes;

use super::{
    context::Asker,
    error::Fault,
    event_frame::EventFrame,
    json::response_of_field,
    message::Message,
    plain,
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
    let json = match &told.heard {
        Heard::News(_) => plain::read(&Message::told(told), &below),
        Heard::Typing(..) => plain::read(&TypingState::told(told), &below),
        Heard::Presence(..) | Heard::Frame(_) => None,
    };
    let value = match json {
        Some(json) => Value::Binary(json.into()),
        None => resolve(&ctx, &below, field, told).await.ok()?,
    };
    if has_errors(&env) {
        return None;
    }
    response_of_field(key, &value)
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
