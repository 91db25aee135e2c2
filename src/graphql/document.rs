//! Documents: guarded and parsed once, then remembered. Clients send the same few all day.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::{
    Name, Positioned, ServerError, Value as ConstValue, Variables,
    parser::{
        parse_query,
        types::{
            Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection,
            SelectionSet,
        },
    },
};
use quick_cache::{Weighter, sync::Cache};
use sha2::{Digest, Sha256};

use super::{
    error::{Code, failure, tag},
    guard, measure,
    plan::{self, Plan},
    suggestion::suggest,
    validator::{self, Checked},
};
use crate::{live::Rendering, model::Limits};

/// What remembered documents may take, about, as bytes.
const REMEMBERED_BYTES: u64 = 16 * 1024 * 1024;

/// What a word of a document takes, parsed twice and planned, about, as bytes.
const WORD_BYTES: u64 = 1_024;

/// A document that is valid, in both forms.
pub(super) struct Document {
    /// For execution.
    pub(super) parsed: ExecutableDocument,
    /// For its variables.
    pub(super) checked: Checked,
    words: usize,
    plans: Mutex<Vec<(String, Arc<Plan>)>>,
}

/// Plans of a document that are kept; who wants yet another makes their own.
const PLANS_MAX: usize = 8;

impl Document {
    /// The plan of one of its operations. Listeners who ask for the same share it.
    pub(super) fn plan(
        &self,
        operation: &Positioned<OperationDefinition>,
        variables: &Variables,
    ) -> Arc<Plan> {
        let key = plan::key(operation, variables);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = plans.iter().find(|(other, _)| *other == key) {
            return Arc::clone(known);
        }
        let plan = Arc::new(plan::plan(&self.parsed, operation, variables));
        if plans.len() < PLANS_MAX {
            plans.push((key, Arc::clone(&plan)));
        }
        plan
    }
}

#[derive(Clone)]
struct BySize;

impl Weighter<Arc<str>, Arc<Document>> for BySize {
    fn weight(&self, text: &Arc<str>, document: &Arc<Document>) -> u64 {
        text.len() as u64 + 1_024 + WORD_BYTES * document.words as u64
    }
}

/// Valid documents by their text.
pub(super) struct Documents(Cache<Arc<str>, Arc<Document>, BySize>);

impl Documents {
    pub(super) fn new() -> Self {
        Self(Cache::with_weighter(1_000, REMEMBERED_BYTES, BySize))
    }

    /// The document of a text, if it is one of our schema and not too much.
    pub(super) fn find(
        &self,
        text: &Arc<str>,
        limits: &Limits,
    ) -> Result<Arc<Document>, Vec<ServerError>> {
        if let Some(known) = self.0.get(text) {
            return Ok(known);
        }
        let alone = |error| vec![error];
        let words = measure::check_text(text, limits).map_err(alone)?;
        let parsed = parse_query(text.as_ref()).map_err(|error| {
            let mut error = ServerError::from(error);
            tag(&mut error, Code::QueryRejected);
            vec![error]
        })?;
        guard::check_document(&parsed, limits).map_err(alone)?;
        let checked = validator::check(text).map_err(|faults| {
            let proposals = limits.suggestions.then(|| suggest(&parsed)).flatten();
            proposals.unwrap_or(faults)
        })?;
        let document = Arc::new(Document {
            parsed,
            checked,
            words,
            plans: Mutex::default(),
        });
        self.0.insert(Arc::clone(text), Arc::clone(&document));
        Ok(document)
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

/// The name of what a subscription makes of a piece of news: its text, its place there, and those of its variables that are
/// used below the root field. The root field's own arguments say which news to hear, not how it is told, so listeners
/// who began in different places share a name.
pub(super) fn rendering(
    text: &str,
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
    variables: &Variables,
) -> Rendering {
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
    // Operations of one document differ in their places.
    add(operation.pos.to_string().as_bytes());
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
    Rendering(form)
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
        let operation = operation(&document, None).expect("the operation");
        let variables = Variables::from_json(variables.clone());
        rendering(text, &document, operation, &variables)
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
