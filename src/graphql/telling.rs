//! A subscription executed for one piece of news.
//!
//! The library checks, counts and copies at each execution what was looked at when the subscription was opened. What is left
//! to do is to resolve its one field; this does it as the code does that the library generates for the items of a stream. What
//! it takes for that is public for that code alone, so the version is pinned.

use std::sync::{Arc, LazyLock, OnceLock};

use async_graphql::{
    Context, Data, EmptyMutation, EmptySubscription, IntrospectionMode, Name, Object, OutputType,
    Positioned, QueryEnv, QueryEnvInner, QueryPathNode, QueryPathSegment, Request, Schema,
    SchemaEnv, ServerResult, Value, Variables,
    extensions::Extensions,
    indexmap::IndexMap,
    parser::types::{
        DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
    },
};
use futures_util::FutureExt;

use super::{
    context::Asker, error::Fault, event_frame::EventFrame, message::Message, plain::AtOnce,
    presence::Presence, render::Told, typing::TypingState,
};
use crate::live::Heard;

/// Where executions without extensions find that they have none. The library makes it at the beginning of a request only,
/// so one is executed for it.
static NO_EXTENSIONS: LazyLock<Option<Extensions>> = LazyLock::new(|| {
    let found = Arc::new(OnceLock::new());
    let schema = Schema::new(Probe, EmptyMutation, EmptySubscription);
    let request = Request::new("{find}").data(Arc::clone(&found));
    // It waits for nothing.
    schema.execute(request).now_or_never()?;
    found.get().cloned()
});

struct Probe;

#[Object]
impl Probe {
    async fn find(&self, ctx: &Context<'_>) -> bool {
        let found = ctx.data_opt::<Arc<OnceLock<Extensions>>>();
        found.is_some_and(|found| found.set(ctx.query_env.extensions.clone()).is_ok())
    }
}

/// The data of a response; none when there would be errors in it, or it cannot be made in this way.
pub(super) async fn tell(
    schema: &SchemaEnv,
    plan: &ExecutableDocument,
    variables: &Variables,
    asker: Arc<Asker>,
    told: Told,
) -> Option<Value> {
    let DocumentOperations::Single(operation) = &plan.operations else {
        return None;
    };
    let [selection] = operation.node.selection_set.node.items.as_slice() else {
        return None;
    };
    let Selection::Field(field) = &selection.node else {
        return None;
    };
    let mut data = Data::default();
    data.insert(asker);
    data.insert(told);
    let env = QueryEnv::new(QueryEnvInner {
        extensions: NO_EXTENSIONS.clone()?,
        variables: variables.clone(),
        operation_name: None,
        operation: head(operation),
        fragments: plan.fragments.clone(),
        uploads: Vec::new(),
        session_data: Arc::default(),
        query_data: Arc::new(data),
        http_headers: std::sync::Mutex::default(),
        introspection_mode: IntrospectionMode::Enabled,
        errors: std::sync::Mutex::default(),
    });
    let key = &field.node.response_key().node;
    let value = resolve(&env, schema, field, key).await.ok()?;
    let has_errors = env.errors.lock().map_or(true, |errors| !errors.is_empty());
    if has_errors {
        return None;
    }
    Some(Value::Object(IndexMap::from_iter([(key.clone(), value)])))
}

/// An operation without what it selects: variables are looked up in it.
fn head(operation: &Positioned<OperationDefinition>) -> Positioned<OperationDefinition> {
    let node = OperationDefinition {
        ty: operation.node.ty,
        variable_definitions: operation.node.variable_definitions.clone(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), operation.pos),
    };
    Positioned::new(node, operation.pos)
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
