//! What an error does to the response around it, as the specification has it (§6.4.4): the field is null, and what may not
//! be null takes what it is part of along.
//!
//! The library nulls the parent of a nullable field that failed, and its paths end at the first index of a list. So
//! errors are taken out where they are met and put into the response at its end, each with its whole path.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{
    PathSegment, QueryPathNode, QueryPathSegment, Response, ServerError, ServerResult,
    ValidationResult, Value,
    async_trait::async_trait,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, NextValidation,
        ResolveInfo,
    },
};

use super::context::Asker;

/// Errors of one execution that are told; one fault can be met at every item of every page. The specification wants all
/// of them told; who reads a hundred has enough.
const ERRORS_MAX: usize = 100;

pub(super) struct Propagation;

impl ExtensionFactory for Propagation {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Execution::default())
    }
}

#[derive(Default)]
struct Execution(Mutex<Vec<ServerError>>);

/// Stands for an error that is kept already, on its way to the next place that may be null.
struct Kept;

impl Execution {
    fn keep(&self, mut error: ServerError, node: &QueryPathNode<'_>) {
        let mut errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        error.path = path(node);
        // A field that is asked for twice is one field, though it is executed twice.
        let is_known = errors.iter().any(|known| known.path == error.path);
        if errors.len() < ERRORS_MAX && !is_known {
            errors.push(error);
        }
    }
}

fn path(node: &QueryPathNode<'_>) -> Vec<PathSegment> {
    let nodes = std::iter::once(node).chain(node.parents());
    let mut path: Vec<_> = nodes
        .map(|node| match node.segment {
            QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
            QueryPathSegment::Index(index) => PathSegment::Index(index),
        })
        .collect();
    path.reverse();
    path
}

fn kept() -> ServerError {
    let mut error = ServerError::new("", None);
    error.source = Some(Arc::new(Kept));
    error
}

#[async_trait]
impl Extension for Execution {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        if let Some(asker) = ctx.data_opt::<Arc<Asker>>() {
            asker.count(result.complexity);
        }
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if let Some(asker) = ctx.data_opt::<Arc<Asker>>() {
            asker.begin(ctx.schema_env);
        }
        let mut response = next.run(ctx, operation_name).await;
        response
            .errors
            .retain(|error| error.source::<Kept>().is_none());
        let mut errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        response.errors.append(&mut errors);
        response
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let (node, may_be_null) = (info.path_node, !info.return_type.ends_with('!'));
        let error = match next.run(ctx, info).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if error.source::<Kept>().is_none() {
            self.keep(error, node);
        }
        if may_be_null {
            Ok(Some(Value::Null))
        } else {
            Err(kept())
        }
    }
}
