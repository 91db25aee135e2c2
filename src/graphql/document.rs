//! Documents: guarded and parsed once, then remembered. Clients send the same few all day.

use std::{collections::HashSet, convert::Infallible, sync::Arc};

use async_graphql::{
    Name, Positioned, ServerError, Value as ConstValue, Variables,
    parser::{
        parse_query,
        types::{
            Directive, DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
            Selection, SelectionSet,
        },
    },
};
use quick_cache::{Weighter, sync::Cache};
use sha2::{Digest, Sha256};

use super::{
    error::{Code, failure},
    guard, measure,
};
use crate::{live::Rendering, model::Limits};

/// Documents remembered at most, as bytes of text; parsed they take some ten times as much.
const REMEMBERED_BYTES: u64 = 2 * 1024 * 1024;

#[derive(Clone)]
struct ByText;

impl Weighter<Arc<str>, Arc<ExecutableDocument>> for ByText {
    fn weight(&self, text: &Arc<str>, _: &Arc<ExecutableDocument>) -> u64 {
        text.len() as u64 + 64
    }
}

/// Parsed documents by their text.
pub(super) struct Documents(Cache<Arc<str>, Arc<ExecutableDocument>, ByText>);

impl Documents {
    pub(super) fn new() -> Self {
        Self(Cache::with_weighter(1_000, REMEMBERED_BYTES, ByText))
    }

    /// The document of a text, if it is one and not too much.
    pub(super) fn parse(
        &self,
        text: &str,
        limits: &Limits,
    ) -> Result<Arc<ExecutableDocument>, ServerError> {
        if let Some(known) = self.0.get(text) {
            return Ok(known);
        }
        measure::check_text(text, limits)?;
        let parsed = parse_query(text).map_err(|error| {
            let mut error = ServerError::from(error);
            error
                .extensions
                .get_or_insert_default()
                .set("code", Code::QueryRejected.as_str());
            error
        })?;
        guard::check_document(&parsed, limits)?;
        let parsed = Arc::new(parsed);
        self.0.insert(text.into(), Arc::clone(&parsed));
        Ok(parsed)
    }
}

/// The operation that a request means.
pub(super) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, ServerError> {
    let unknown = |message: String| failure(Code::QueryRejected, message);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get(name)
            .ok_or_else(|| unknown(format!("there is no operation `{name}`"))),
        (DocumentOperations::Single(_), Some(name)) => {
            Err(unknown(format!("there is no operation `{name}`")))
        }
        (DocumentOperations::Multiple(operations), None) => match operations.values().next() {
            Some(only) if operations.len() == 1 => Ok(only),
            _ => Err(unknown(
                "`operationName` must name one of the operations".to_owned(),
            )),
        },
    }
}

/// Refuses variables that hold more values than a request may bring: each use of one copies it.
pub(super) fn check_variables_size(variables: &Variables, max: usize) -> Result<(), ServerError> {
    fn count(value: &ConstValue) -> usize {
        // JSON nests at most 128 deep: its reader sees to that.
        match value {
            ConstValue::List(items) => items.iter().map(count).sum::<usize>() + 1,
            ConstValue::Object(fields) => fields.values().map(count).sum::<usize>() + 1,
            ConstValue::Null
            | ConstValue::Number(_)
            | ConstValue::String(_)
            | ConstValue::Boolean(_)
            | ConstValue::Binary(_)
            | ConstValue::Enum(_) => 1,
        }
    }
    if variables.values().map(count).sum::<usize>() > max {
        let message = format!("the variables hold more than {max} values");
        return Err(failure(Code::QueryRejected, message));
    }
    Ok(())
}

/// Refuses a request that lacks a variable which its operation needs; the library would run it and fail at the first
/// field that uses it, if it came so far.
pub(super) fn check_variables(
    operation: &Positioned<OperationDefinition>,
    variables: &Variables,
) -> Result<(), ServerError> {
    for definition in &operation.node.variable_definitions {
        let definition = &definition.node;
        let name = &definition.name.node;
        let needed = !definition.var_type.node.nullable && definition.default_value.is_none();
        if needed && matches!(variables.get(name), None | Some(ConstValue::Null)) {
            let message = format!(
                "the variable `${name}` of type `{}` must be given",
                definition.var_type.node
            );
            return Err(failure(Code::BadUserInput, message));
        }
    }
    Ok(())
}

/// The name of what a subscription makes of a piece of news: its text, its name, and those of its variables that are
/// used below the root field. The root field's own arguments say which news to hear, not how it is told, so listeners
/// who began in different places share a name.
pub(super) fn rendering(
    text: &str,
    document: &ExecutableDocument,
    name: Option<&str>,
    variables: &Variables,
) -> Result<Rendering, ServerError> {
    let operation = operation(document, name)?;
    debug_assert_eq!(operation.node.ty, OperationType::Subscription);
    let mut used = Used {
        document,
        names: HashSet::new(),
        fragments: HashSet::new(),
    };
    used.below_roots(&operation.node.selection_set);
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(text.as_bytes());
    add(name.unwrap_or_default().as_bytes());
    let mut names: Vec<_> = used.names.into_iter().collect();
    names.sort();
    for name in names {
        add(name.as_bytes());
        let value: Option<&ConstValue> = variables.get(&name);
        add(value
            .map_or_else(|| "undefined".to_owned(), ToString::to_string)
            .as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut form = [0; 16];
    form.copy_from_slice(&digest[..16]);
    Ok(Rendering(form))
}

/// Gathers the variables that a selection uses.
struct Used<'a> {
    document: &'a ExecutableDocument,
    names: HashSet<Name>,
    fragments: HashSet<&'a Name>,
}

impl<'a> Used<'a> {
    /// The root fields' directives and what lies below them, their arguments left out.
    fn below_roots(&mut self, selections: &'a Positioned<SelectionSet>) {
        self.selections(selections, true);
    }

    fn selections(&mut self, selections: &'a Positioned<SelectionSet>, at_root: bool) {
        for selection in &selections.node.items {
            self.directives(selection.node.directives());
            match &selection.node {
                Selection::Field(field) => {
                    if !at_root {
                        for (_, value) in &field.node.arguments {
                            self.note(|note| value.node.clone().into_const_with(note).is_ok());
                        }
                    }
                    self.selections(&field.node.selection_set, false);
                }
                Selection::InlineFragment(fragment) => {
                    self.selections(&fragment.node.selection_set, at_root);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if self.fragments.insert(name)
                        && let Some(fragment) = self.document.fragments.get(name)
                    {
                        self.directives(&fragment.node.directives);
                        self.selections(&fragment.node.selection_set, at_root);
                    }
                }
            }
        }
    }

    /// Notes the variables that `visit` meets. The library does not export the type of a value that may hold
    /// variables, only how to replace them, so they are met while they are replaced.
    fn note(
        &mut self,
        visit: impl FnOnce(&mut dyn FnMut(Name) -> Result<ConstValue, Infallible>) -> bool,
    ) {
        let names = &mut self.names;
        visit(&mut |name| {
            names.insert(name);
            Ok(ConstValue::Null)
        });
    }

    fn directives(&mut self, directives: &'a [Positioned<Directive>]) {
        for directive in directives {
            for (_, value) in &directive.node.arguments {
                self.note(|note| value.node.clone().into_const_with(note).is_ok());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str, variables: &serde_json::Value) -> Rendering {
        let document = parse_query(text).expect("parsed");
        rendering(
            text,
            &document,
            None,
            &Variables::from_json(variables.clone()),
        )
        .expect("a rendering")
    }

    #[test]
    fn where_a_listener_began_does_not_matter_and_what_it_selects_does() {
        let text = "subscription($c:ID!$a:Int$x:Boolean!){messageSent(conversationId:$c,afterSeq:$a){id text@include(if:$x)}}";
        let first = name(text, &serde_json::json!({"c": "c1", "a": 1, "x": true}));
        assert_eq!(
            first,
            name(text, &serde_json::json!({"c": "c1", "a": 9, "x": true}))
        );
        assert_ne!(
            first,
            name(text, &serde_json::json!({"c": "c1", "a": 1, "x": false}))
        );
        assert_ne!(first, name(text, &serde_json::json!({"c": "c1", "a": 1})));
        let aliased = text.replace("id text", "id words:text");
        assert_ne!(
            first,
            name(&aliased, &serde_json::json!({"c": "c1", "a": 1, "x": true}))
        );
    }

    #[test]
    fn variables_within_fragments_and_values_count() {
        let text = "subscription($c:ID!$s:Int!){messageSent(conversationId:$c){...F}} fragment F on Message{conversation{message(seq:$s){id}}}";
        let one = name(text, &serde_json::json!({"c": "c1", "s": 1}));
        assert_ne!(one, name(text, &serde_json::json!({"c": "c1", "s": 2})));
        assert_eq!(one, name(text, &serde_json::json!({"c": "c2", "s": 1})));
    }
}
