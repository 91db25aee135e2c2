//! What fuzzers throw texts at: all that stands between a document and its execution.

use std::sync::Arc;

use super::{document::Documents, plan, validator};
use crate::model::Limits;

/// Reads a document as a request's, and plans each of its operations. Whether it is one.
///
/// # Panics
/// Where the code is wrong.
pub fn document(text: &str) -> bool {
    let limits = Limits {
        introspection: true,
        ..Limits::default()
    };
    let Ok(document) = Documents::new().find(&Arc::from(text), &limits) else {
        return false;
    };
    for (name, operation) in document.parsed.operations.iter() {
        let name = name.map(async_graphql::Name::as_str);
        let variables = async_graphql::Variables::default();
        if let Ok(variables) = validator::coerce(&document.checked, name, variables) {
            plan::plan(&document.parsed, operation, &variables);
        }
    }
    true
}

/// Reads a request as JSON, and what its extensions and variables hold. Whether it says which document it means.
pub fn request(text: &str) -> bool {
    super::json_size(text.as_bytes());
    let Ok(mut request) = serde_json::from_str::<async_graphql::Request>(text) else {
        return false;
    };
    let limits = Limits::default();
    let variables = &request.variables;
    let is_small =
        super::document::check_variables_size(variables, limits.variable_values_max).is_ok();
    is_small
        && super::persisted::Persisted::new()
            .find(&mut request)
            .is_ok()
}
