//! An operation executed as it is, once the library has let it pass.
//!
//! At each execution the library checks, counts and copies what it did the last time, and asks its extensions at every step:
//! of sending a message that is two thirds. What is left to do is to resolve the fields of the root, as the library does then;
//! whatever has errors is left to the library itself, which puts them right. What this takes for it is public for the code alone
//! that the library generates, so the version is pinned.

use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use async_graphql::{
    ContainerType, Context, Data, EmptyMutation, EmptySubscription, IntrospectionMode, Object,
    QueryEnv, QueryEnvInner, Request, SchemaEnv, Value, Variables, extensions::Extensions,
    resolver_utils::resolve_container,
};
use futures_util::FutureExt;

use super::{
    context::Asker,
    plain::Verbatim,
    plan::Plan,
    schema::{Mutation, Query, Schema},
};
use crate::chat::{Error, Sent};

/// Where executions without extensions find that they have none. The library makes it at the beginning of a request only,
/// so one is executed for it.
static NO_EXTENSIONS: LazyLock<Option<Extensions>> = LazyLock::new(|| {
    let found = Arc::new(OnceLock::new());
    let schema = async_graphql::Schema::new(Probe, EmptyMutation, EmptySubscription);
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

/// What resolvers find around them when a plan is executed without extensions. It has to own what it has.
pub(super) fn environment(plan: &Plan, variables: &Variables, mut data: Data) -> Option<QueryEnv> {
    if plan.is_single {
        data.insert(Verbatim);
    }
    Some(QueryEnv::new(QueryEnvInner {
        extensions: NO_EXTENSIONS.clone()?,
        variables: variables.clone(),
        operation_name: None,
        operation: plan.head(),
        fragments: plan.fragments.clone(),
        uploads: Vec::new(),
        session_data: Arc::default(),
        query_data: Arc::new(data),
        http_headers: Mutex::default(),
        introspection_mode: IntrospectionMode::Enabled,
        errors: Mutex::default(),
    }))
}

/// Whether resolvers have left errors beside what they gave.
pub(super) fn has_errors(env: &QueryEnv) -> bool {
    env.errors.lock().map_or(true, |errors| !errors.is_empty())
}

/// The roots of the schema, and what their fields find around them.
pub(super) struct Prepared {
    schema: SchemaEnv,
    query: Query,
    mutation: Mutation,
}

impl Prepared {
    /// Takes from a schema what it keeps to itself; none if it does not give it.
    pub(super) fn of(schema: &Schema) -> Option<Self> {
        let asker = Arc::new(Asker::new(None, Arc::default()));
        let request = Request::new("{__typename}").data(Arc::clone(&asker));
        // It waits for nothing.
        schema.execute(request).now_or_never()?;
        Some(Self {
            schema: asker.schema()?.clone(),
            query: Query::default(),
            mutation: Mutation::default(),
        })
    }

    /// The data of a query's response; none when there would be errors in it.
    pub(super) async fn read(
        &self,
        plan: &Plan,
        variables: &Variables,
        asker: Asker,
    ) -> Option<Value> {
        let mut data = Data::default();
        data.insert(Arc::new(asker));
        self.resolve(&self.query, plan, variables, data).await
    }

    /// The data of the response of a mutation that sends one message; none when there would be errors in it. What became
    /// of the message is kept, for whoever tells it with them then.
    pub(super) async fn send(
        &self,
        plan: &Plan,
        variables: &Variables,
        asker: &Arc<Asker>,
        outcome: &Outcome,
    ) -> Option<Value> {
        let mut data = Data::default();
        data.insert(Arc::clone(asker));
        data.insert(outcome.clone());
        self.resolve(&self.mutation, plan, variables, data).await
    }

    /// All at the same time: of a mutation there is one field.
    async fn resolve(
        &self,
        root: &impl ContainerType,
        plan: &Plan,
        variables: &Variables,
        data: Data,
    ) -> Option<Value> {
        let env = environment(plan, variables, data)?;
        let ctx = env.create_context(&self.schema, None, &plan.selected, None);
        let value = resolve_container(&ctx, root).await.ok()?;
        (!has_errors(&env)).then_some(value)
    }
}

/// What became of the one message that a request sends: the request may be executed twice, the message is sent once.
#[derive(Clone, Default)]
pub(super) struct Outcome(Arc<Mutex<Option<Result<Sent, Error>>>>);

impl Outcome {
    /// What became of it, if it was sent; else sends it.
    pub(super) async fn or_send(
        &self,
        send: impl Future<Output = Result<Sent, Error>>,
    ) -> Result<Sent, Error> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = known().as_ref() {
            return outcome.clone();
        }
        let outcome = send.await;
        *known() = Some(outcome.clone());
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::schema;

    #[test]
    fn the_library_gives_what_this_takes_from_it() {
        assert!(NO_EXTENSIONS.is_some());
        assert!(Prepared::of(&schema::without_chat()).is_some());
    }
}
