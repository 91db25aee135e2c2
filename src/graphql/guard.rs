//! What stands before the parser and the validator: a request's cost is known before it runs.
//!
//! The parser recurses without a bound on nested values: some 1,600 brackets overflow its stack and end the process. The
//! validator walks a fragment again for every spread: 24 fragments that each spread the next one twice cost it 22
//! seconds. So brackets are counted in the text before it is parsed, and the fields that a document stands for are
//! counted, each fragment once, before it is validated.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, ServerError,
    parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet},
};

use super::error::{Code, failure};
use crate::model::Limits;

fn rejected(message: String) -> ServerError {
    failure(Code::QueryRejected, message)
}

/// Checks a document's text, in one pass.
pub(super) fn check_text(text: &str, limits: &Limits) -> Result<(), ServerError> {
    let max = limits.document_bytes_max;
    if text.len() > max {
        return Err(rejected(format!("the document has more than {max} bytes")));
    }
    let max = limits.document_nesting_max;
    if nesting(text.as_bytes()) > max {
        return Err(rejected(format!(
            "the document nests brackets more than {max} deep"
        )));
    }
    Ok(())
}

/// How deep brackets lie within brackets, those in strings and comments left out.
fn nesting(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut at) = (0usize, 0, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'#' => {
                at += text[at..]
                    .iter()
                    .take_while(|byte| !matches!(byte, b'\n' | b'\r'))
                    .count()
                    - 1;
            }
            b'"' => at = end_of_string(text, at),
            _ => {}
        }
        at += 1;
    }
    deepest
}

/// The place of the quote that ends the string which begins at `start`; the end of the text when none does.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let block = text[start..].starts_with(b"\"\"\"");
    let mut at = start + if block { 3 } else { 1 };
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if block && text[at..].starts_with(b"\\\"\"\"") => at += 3,
            b'\\' if !block => at += 1,
            b'"' if block && text[at..].starts_with(b"\"\"\"") => return at + 2,
            // A string on one line that has no end is not one; what follows is text again.
            b'"' | b'\n' | b'\r' if !block => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Checks what a parsed document stands for, in time that grows with its text only.
pub(super) fn check_document(
    document: &ExecutableDocument,
    limits: &Limits,
) -> Result<(), ServerError> {
    let mut cost = Costs {
        document,
        fragments: HashMap::new(),
        open: HashSet::new(),
    };
    let mut fields = 0u64;
    for (_, operation) in document.operations.iter() {
        let cost = cost.of(&operation.node.selection_set)?;
        fields = fields.saturating_add(cost.fields);
        let max = limits.selection_depth_max;
        if cost.depth > max {
            return Err(rejected(format!(
                "the document selects fields more than {max} deep"
            )));
        }
        if operation.node.ty == OperationType::Subscription && cost.roots != 1 {
            return Err(rejected(
                "a subscription must select exactly one field".to_owned(),
            ));
        }
    }
    let max = limits.fields_max as u64;
    if fields > max {
        return Err(rejected(format!(
            "the document stands for more than {max} fields"
        )));
    }
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Cost {
    /// Fields with every fragment written out.
    fields: u64,
    /// Fields within fields.
    depth: usize,
    /// Fields at the top.
    roots: u64,
}

impl Cost {
    fn plus(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            depth: self.depth.max(other.depth),
            roots: self.roots.saturating_add(other.roots),
        }
    }
}

struct Costs<'a> {
    document: &'a ExecutableDocument,
    fragments: HashMap<&'a Name, Cost>,
    open: HashSet<&'a Name>,
}

impl<'a> Costs<'a> {
    // The recursion is bounded: the parser takes selections at most 64 deep, and a chain of fragments is as long as
    // the document has fragments, some 2,000 in 32 KiB.
    fn of(&mut self, selections: &'a Positioned<SelectionSet>) -> Result<Cost, ServerError> {
        selections
            .node
            .items
            .iter()
            .try_fold(Cost::default(), |sum, selection| {
                let cost = match &selection.node {
                    Selection::Field(field) => {
                        let below = self.of(&field.node.selection_set)?;
                        Cost {
                            fields: below.fields.saturating_add(1),
                            depth: below.depth + 1,
                            roots: 1,
                        }
                    }
                    Selection::InlineFragment(fragment) => self.of(&fragment.node.selection_set)?,
                    Selection::FragmentSpread(spread) => {
                        self.of_fragment(&spread.node.fragment_name.node)?
                    }
                };
                Ok(sum.plus(cost))
            })
    }

    fn of_fragment(&mut self, name: &'a Name) -> Result<Cost, ServerError> {
        if let Some(cost) = self.fragments.get(name) {
            return Ok(*cost);
        }
        // What is not there is for the validator to say.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Cost::default());
        };
        if !self.open.insert(name) {
            return Err(rejected(format!("the fragment `{name}` spreads itself")));
        }
        if self.open.len() > FRAGMENT_CHAIN_MAX {
            return Err(rejected(format!(
                "fragments spread fragments more than {FRAGMENT_CHAIN_MAX} deep"
            )));
        }
        let cost = self.of(&fragment.node.selection_set)?;
        self.open.remove(name);
        self.fragments.insert(name, cost);
        Ok(cost)
    }
}

/// A fragment within a fragment within a fragment: the validator recurses along these.
const FRAGMENT_CHAIN_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use async_graphql::parser::parse_query;

    use super::*;

    fn check(text: &str) -> Result<(), String> {
        let limits = Limits::default();
        check_text(text, &limits).map_err(|error| error.message)?;
        let document = parse_query(text).map_err(|error| error.to_string())?;
        check_document(&document, &limits).map_err(|error| error.message)
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        assert_eq!(nesting(b"{a(b:[1]) # {{{{\n}"), 3);
        assert_eq!(nesting(br#"{a(b:"{{{{\"{{{")}"#), 2);
        assert_eq!(nesting(br#"{a(b:"""{{{ " \""" {{{""")}"#), 2);
        assert_eq!(nesting(b"\"{\n{{"), 2);
        assert_eq!(nesting(b"\"\"\"{{{"), 0);
        assert_eq!(nesting(b"\"\\"), 0);
        assert_eq!(nesting(b"#"), 0);
    }

    #[test]
    fn nested_values_are_refused_before_the_parser_sees_them() {
        for depth in [65, 1_600, 6_000, 15_000] {
            let text = format!("{{f(v:{}1{})}}", "[".repeat(depth), "]".repeat(depth));
            assert!(
                check(&text).is_err_and(|message| message.contains("more than 64 deep")),
                "{depth}"
            );
        }
        assert!(
            check(&"x".repeat(33 * 1024)).is_err_and(|message| message.contains("32768 bytes"))
        );
    }

    #[test]
    fn a_bomb_of_fragments_is_counted_not_walked() {
        let mut bomb = "{...F0}".to_owned();
        for level in 0..30 {
            write!(
                bomb,
                "fragment F{level} on Query{{...F{} ...F{}}}",
                level + 1,
                level + 1
            )
            .expect("written");
        }
        bomb += "fragment F30 on Query{__typename}";
        assert!(check(&bomb).is_err_and(|message| message.contains("1000 fields")));
        let cycle = "{...A} fragment A on Query{...B} fragment B on Query{...A}";
        assert!(check(cycle).is_err_and(|message| message.contains("spreads itself")));
    }

    #[test]
    fn a_subscription_selects_one_field() {
        assert!(check("subscription{a}").is_ok());
        assert!(check("subscription{a b}").is_err());
        assert!(check("subscription{...F} fragment F on Subscription{a b}").is_err());
        assert!(check("{a b}").is_ok());
    }
}
