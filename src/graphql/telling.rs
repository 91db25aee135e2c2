//! A subscription executed for one piece of news.
//!
//! The library checks, counts and copies at each execution what was looked at when the subscription was opened. What is left
//! to do is to resolve its one field; this does it as the code does that the library generates for the items of a stream. What
//! it takes for that is public for that code alone, so the version is pinned.

use std::sync::Arc;

use async_graphql::{
    Data, Name, OutputType, Positioned, QueryEnv, QueryPathNode, QueryPathSegment, SchemaEnv,
    ServerResult, Value, Variables, indexmap::IndexMap, parser::types::Field,
};

use super::{
    context::Asker,
    error::Fault,
    event_frame::EventFrame,
    message::Message,
    plain::AtOnce,
    plan::Plan,
    prepared::{environment, has_errors},
    presence::Presence,
    render::Told,
    typing::TypingState,
};
use crate::live::Heard;

/// The data of a response; none when there would be errors in it, or it cannot be made in this way.
pub(super) async fn tell(
    schema: &SchemaEnv,
    plan: &Plan,
    variables: &Variables,
    asker: Arc<Asker>,
    told: Told,
) -> Option<Value> {
    let field = plan.only_field()?;
    let mut data = Data::default();
    data.insert(asker);
    data.insert(told);
    let env = environment(plan, variables, data)?;
    let key = &field.node.response_key().node;
    let value = resolve(&env, schema, field, key).await.ok()?;
    if has_errors(&env) {
        return None;
    }
    Some(Value::Object(IndexMap::from_iter([(key.clone(), value)])))
}

async fn resolve(
    env: &QueryEnv,
    schema: &SchemaEnv,
    field: &Positioned<Field>,
    key: &Name,
) -> ServerResult<Value> {
    let node = QueryPathNode {
        parent: None,
        segment: QueryPathSegment::Name(key),
    };
    let ctx = env.create_context(schema, Some(node), field, None);
    let below = ctx.with_selection_set(&field.node.selection_set);
    let Some(told) = ctx.data_opt::<Told>() else {
        return Ok(Value::Null);
    };
    match &told.heard {
        Heard::News(_) => AtOnce(Message::told(told)).resolve(&below, field).await,
        Heard::Typing(..) => AtOnce(TypingState::told(told)).resolve(&below, field).await,
        Heard::Presence(..) => Presence::told(told).resolve(&below, field).await,
        Heard::Frame(frame) => {
            let frame = EventFrame::new(&ctx, frame, told.is_again, &told.unheard).await;
            let frame = frame.map_err(Fault::into_server_error)?;
            Some(frame).resolve(&below, field).await
        }
    }
}
