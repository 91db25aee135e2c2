//! What of a document is executed: one operation and the fragments that it leads to.
//!
//! Three things that the library does otherwise than the specification are put right on the way. Fields of the root that
//! have one key are one field (§6.3.2): it would run a mutation twice. Arguments whose variable was left out are as if they had
//! not been written (§6.4.1): it takes them for null, or refuses the request. And the other operations of a document do not
//! count: it looks for this one's variables in them.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};

use async_graphql::{
    Name, Positioned, Value as ConstValue, Variables,
    parser::types::{
        BaseType, Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition,
        OperationDefinition, Selection, SelectionSet, Type,
    },
};
use async_graphql_value::Value;

use super::single;

/// One operation and the fragments that it leads to.
pub(super) struct Plan {
    /// The operation; its variables are looked up in it.
    head: Positioned<OperationDefinition>,
    /// What it selects.
    pub(super) selected: Positioned<SelectionSet>,
    /// The fragments.
    pub(super) fragments: HashMap<Name, Positioned<FragmentDefinition>>,
    /// Whether no thing is selected twice under one key of an object, which would have to be put together.
    pub(super) is_single: bool,
    /// Whether it costs the same whatever its variables are, and asks for nothing that only the library has.
    is_steady: bool,
    /// Whether it may be executed without being checked again.
    is_checked: AtomicBool,
}

impl Plan {
    /// As a document, for the library to check and execute.
    pub(super) fn document(&self) -> ExecutableDocument {
        let mut operation = self.head.clone();
        operation.node.selection_set = self.selected.clone();
        ExecutableDocument {
            operations: DocumentOperations::Single(operation),
            fragments: self.fragments.clone(),
        }
    }

    /// The operation without what it selects.
    pub(super) fn head(&self) -> Positioned<OperationDefinition> {
        self.head.clone()
    }

    /// Its only field at the root.
    pub(super) fn only_field(&self) -> Option<&Positioned<Field>> {
        match self.selected.node.items.as_slice() {
            [only] => match &only.node {
                Selection::Field(field) => Some(field),
                Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
            },
            _ => None,
        }
    }

    /// Whether it is a field of this name at the root, and nothing else.
    pub(super) fn is_only(&self, name: &str) -> bool {
        self.only_field()
            .is_some_and(|field| field.node.name.node == name)
    }

    /// Says that the library let it pass.
    pub(super) fn pass(&self) {
        self.is_checked.store(self.is_steady, Ordering::Relaxed);
    }

    /// Whether the library would let it pass again.
    pub(super) fn is_checked(&self) -> bool {
        self.is_checked.load(Ordering::Relaxed)
    }
}

/// Whether values of a type have nothing to do with what an operation costs. What has, are sizes of pages, which are
/// numbers, and lists of what is asked for; of others it is known only where it is said here.
fn is_free(of: &Type) -> bool {
    let BaseType::Named(name) = &of.base else {
        return false;
    };
    matches!(
        name.as_str(),
        "Boolean" | "ID" | "String" | "SendMessageInput"
    )
}

/// Whether it is asked for the schema, which only the library's own root knows.
fn is_introspection(selection: &Positioned<Selection>) -> bool {
    let Selection::Field(field) = &selection.node else {
        return false;
    };
    matches!(field.node.name.node.as_str(), "__schema" | "__type")
}

/// What a plan depends on besides its document: which operation it is, which variables it has, and the conditions among
/// them.
pub(super) fn key(operation: &Positioned<OperationDefinition>, variables: &Variables) -> String {
    // Operations of one document differ in their places.
    let mut key = operation.pos.to_string();
    for definition in &operation.node.variable_definitions {
        key.push(match variables.get(&definition.node.name.node) {
            None => '-',
            Some(ConstValue::Boolean(true)) => 't',
            Some(ConstValue::Boolean(false)) => 'f',
            Some(_) => '+',
        });
    }
    key
}

/// The plan of an operation, with its variables as [`super::validator::coerce`] gave them.
pub(super) fn plan(
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
    variables: &Variables,
) -> Plan {
    let mut roots = Roots {
        document,
        variables,
        fields: Vec::new(),
        places: HashMap::new(),
    };
    roots.collect(&operation.node.selection_set);
    let mut selected = operation.node.selection_set.clone();
    selected.node.items = roots.fields;

    let mut leaving = Leaving {
        variables,
        spread: Vec::new(),
    };
    leaving.selections(&mut selected);
    let mut fragments = HashMap::new();
    while let Some(name) = leaving.spread.pop() {
        if fragments.contains_key(&name) {
            continue;
        }
        if let Some(fragment) = document.fragments.get(&name) {
            let mut fragment = fragment.clone();
            leaving.selections(&mut fragment.node.selection_set);
            fragments.insert(name, fragment);
        }
    }
    let definitions = operation.node.variable_definitions.iter();
    let is_steady = definitions
        .clone()
        .all(|of| is_free(&of.node.var_type.node))
        && !selected.node.items.iter().any(is_introspection);
    let head = OperationDefinition {
        ty: operation.node.ty,
        variable_definitions: definitions.cloned().collect(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), operation.pos),
    };
    let is_single = single::is_single(&selected.node, &fragments);
    Plan {
        head: Positioned::new(head, operation.pos),
        selected,
        fragments,
        is_single,
        is_steady,
        is_checked: AtomicBool::new(false),
    }
}

/// Gathers the fields of the root, by their keys, in the order in which each key is met first.
struct Roots<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    fields: Vec<Positioned<Selection>>,
    places: HashMap<Name, usize>,
}

impl Roots<'_> {
    fn collect(&mut self, selections: &Positioned<SelectionSet>) {
        for selection in &selections.node.items {
            if !is_included(selection.node.directives(), self.variables) {
                continue;
            }
            match &selection.node {
                Selection::Field(field) => self.add(field, selection),
                // The root is an object, and so are the conditions of its fragments.
                Selection::InlineFragment(fragment) => self.collect(&fragment.node.selection_set),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name) {
                        self.collect(&fragment.node.selection_set);
                    }
                }
            }
        }
    }

    fn add(&mut self, field: &Positioned<Field>, selection: &Positioned<Selection>) {
        let key = field.node.response_key().node.clone();
        let known = self.places.get(&key).copied();
        let Some(place) = known else {
            self.places.insert(key, self.fields.len());
            self.fields.push(selection.clone());
            return;
        };
        let first = self.fields.get_mut(place).map(|first| &mut first.node);
        if let Some(Selection::Field(first)) = first {
            let more = field.node.selection_set.node.items.iter().cloned();
            first.node.selection_set.node.items.extend(more);
        }
    }
}

/// Whether conditions let a selection be.
fn is_included(directives: &[Positioned<Directive>], variables: &Variables) -> bool {
    directives.iter().all(|directive| {
        let wanted = match directive.node.name.node.as_str() {
            "include" => true,
            "skip" => false,
            _ => return true,
        };
        let mut arguments = directive.node.arguments.iter();
        let condition = arguments.find(|(name, _)| name.node == "if");
        let is = match condition.map(|(_, value)| &value.node) {
            Some(Value::Boolean(is)) => Some(*is),
            Some(Value::Variable(name)) => match variables.get(name) {
                Some(ConstValue::Boolean(is)) => Some(*is),
                _ => None,
            },
            _ => None,
        };
        is.is_none_or(|is| is == wanted)
    })
}

/// Takes out what is not included, the conditions for it, and arguments without a value; notes fragments that are met.
struct Leaving<'a> {
    variables: &'a Variables,
    spread: Vec<Name>,
}

fn is_condition(directive: &Positioned<Directive>) -> bool {
    matches!(directive.node.name.node.as_str(), "include" | "skip")
}

impl Leaving<'_> {
    fn selections(&mut self, selections: &mut Positioned<SelectionSet>) {
        let variables = self.variables;
        let items = &mut selections.node.items;
        items.retain(|item| is_included(item.node.directives(), variables));
        for selection in items {
            match &mut selection.node {
                Selection::Field(field) => {
                    field.node.directives.retain(|other| !is_condition(other));
                    field.node.arguments.retain(|(_, value)| {
                        !matches!(&value.node, Value::Variable(name) if !variables.contains_key(name))
                    });
                    self.selections(&mut field.node.selection_set);
                }
                Selection::InlineFragment(fragment) => {
                    fragment
                        .node
                        .directives
                        .retain(|other| !is_condition(other));
                    self.selections(&mut fragment.node.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    spread.node.directives.retain(|other| !is_condition(other));
                    self.spread.push(spread.node.fragment_name.node.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;
    use crate::graphql::document::operation;

    /// Keys of the root's fields with how much is selected of each, and their arguments.
    fn planned(text: &str, name: Option<&str>, variables: serde_json::Value) -> Vec<String> {
        let document = parse_query(text).expect("parsed");
        let operation = operation(&document, name).expect("the operation");
        let plan = plan(&document, operation, &Variables::from_json(variables));
        let items = plan.selected.node.items;
        items
            .iter()
            .map(|item| {
                let Selection::Field(field) = &item.node else {
                    panic!("fields only");
                };
                let arguments = &field.node.arguments;
                let arguments = arguments.iter().map(|(name, _)| name.node.as_str());
                let arguments = arguments.collect::<Vec<_>>().join(",");
                let below = field.node.selection_set.node.items.len();
                format!("{}({arguments}){below}", field.node.response_key().node)
            })
            .collect()
    }

    #[test]
    fn what_has_one_key_is_one_field_wherever_it_is_written() {
        let text = "mutation($y:Boolean!){s(i:1){a} ...F ...{s(i:1){c} t} u @skip(if:$y)} fragment F on Mutation{s(i:1){b} v @include(if:$y)}";
        assert_eq!(
            planned(text, None, serde_json::json!({"y": true})),
            ["s(i)3", "v()0", "t()0"]
        );
        assert_eq!(
            planned(text, None, serde_json::json!({"y": false})),
            ["s(i)3", "t()0", "u()0"]
        );
    }

    #[test]
    fn what_is_not_included_is_not_there_however_deep() {
        let text = "query($y:Boolean!){s{a b @skip(if:$y) ...@include(if:$y){c} ...F @skip(if:$y)}} fragment F on S{d}";
        let run = |y| planned(text, None, serde_json::json!({ "y": y }));
        assert_eq!(run(true), ["s()2"]);
        assert_eq!(run(false), ["s()3"]);
    }

    #[test]
    fn an_argument_without_a_value_is_not_there() {
        let text = "query A($a:Int$b:Int){f(a:$a b:$b c:[$a])} query B($c:Int){g(c:$c)}";
        let run = |name, variables| planned(text, Some(name), variables);
        assert_eq!(
            run("A", serde_json::json!({"a": 1, "b": null})),
            ["f(a,b,c)0"]
        );
        assert_eq!(run("A", serde_json::json!({"a": 1})), ["f(a,c)0"]);
        assert_eq!(run("A", serde_json::json!({})), ["f(c)0"]);
        assert_eq!(run("B", serde_json::json!({})), ["g()0"]);
    }
}
