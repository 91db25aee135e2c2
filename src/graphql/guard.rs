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
    match nesting(text.as_bytes()) {
        None => Err(rejected("a string in the document has no end".to_owned())),
        Some(depth) if depth > max => Err(rejected(format!(
            "the document nests brackets more than {max} deep"
        ))),
        Some(_) => Ok(()),
    }
}

/// How deep brackets lie within brackets, those in strings and comments left out; nothing when a string has no end. The
/// parser takes such a quote for something else and reads on, so what follows it would not be counted.
fn nesting(text: &[u8]) -> Option<usize> {
    let (mut depth, mut deepest, mut at) = (0usize, 0, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'#' => {
                let comment = text[at..]
                    .iter()
                    .take_while(|byte| !matches!(byte, b'\n' | b'\r'));
                at += comment.count() - 1;
            }
            b'"' => at = end_of_string(text, at)?,
            _ => {}
        }
        at += 1;
    }
    Some(deepest)
}

/// The place of the quote that ends the string which begins at `start`.
fn end_of_string(text: &[u8], start: usize) -> Option<usize> {
    let block = text[start..].starts_with(b"\"\"\"");
    let mut at = start + if block { 3 } else { 1 };
    loop {
        match text.get(at)? {
            b'\\' if block && text[at..].starts_with(b"\\\"\"\"") => at += 3,
            b'\\' if !block => at += 1,
            b'"' if block && text[at..].starts_with(b"\"\"\"") => return Some(at + 2),
            b'"' if !block => return Some(at),
            b'\n' | b'\r' if !block => return None,
            _ => {}
        }
        at += 1;
    }
}

/// Checks what a parsed document stands for, in time that grows with its text only.
pub(super) fn check_document(
    document: &ExecutableDocument,
    limits: &Limits,
) -> Result<(), ServerError> {
    let mut costs = Costs {
        document,
        fragments: HashMap::new(),
        open: HashSet::new(),
    };
    let mut fields = 0u64;
    let mut introspection = 0u64;
    for (_, operation) in document.operations.iter() {
        let cost = costs.of(&operation.node.selection_set, false)?;
        fields = fields.saturating_add(cost.fields);
        introspection = introspection.saturating_add(cost.introspection);
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
    // The validator walks fragments that no operation uses, too.
    for name in document.fragments.keys() {
        fields = fields.saturating_add(costs.of_fragment(name, false)?.fields);
    }
    let max = limits.fields_max as u64;
    if fields > max {
        return Err(rejected(format!(
            "the document stands for more than {max} fields"
        )));
    }
    let max = limits.cost_max as u64;
    if introspection > max {
        return Err(rejected(format!("the introspection costs more than {max}")));
    }
    Ok(())
}

/// What a list of the introspection is taken to hold; the standard introspection query then costs some 27,000.
const INTROSPECTION_LIST: u64 = 10;

fn introspection_factor(field: &str) -> u64 {
    match field {
        "types" | "fields" | "inputFields" | "interfaces" | "possibleTypes" | "enumValues"
        | "args" | "directives" => INTROSPECTION_LIST,
        _ => 1,
    }
}

#[derive(Clone, Copy, Default)]
struct Cost {
    /// Fields and spreads, with every fragment written out.
    fields: u64,
    /// Values that an introspection gives, about.
    introspection: u64,
    /// Fields within fields.
    depth: usize,
    /// Fields at the top.
    roots: u64,
}

impl Cost {
    /// A spread is a step of its own: one that leads to nothing is walked all the same.
    fn spread(self) -> Self {
        Self {
            fields: self.fields.saturating_add(1),
            ..self
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            introspection: self.introspection.saturating_add(other.introspection),
            depth: self.depth.max(other.depth),
            roots: self.roots.saturating_add(other.roots),
        }
    }
}

struct Costs<'a> {
    document: &'a ExecutableDocument,
    fragments: HashMap<(&'a Name, bool), Cost>,
    open: HashSet<&'a Name>,
}

impl<'a> Costs<'a> {
    // The recursion is bounded: the parser takes selections at most 64 deep, and chains of fragments have a bound below.
    fn of(
        &mut self,
        selections: &'a Positioned<SelectionSet>,
        introspects: bool,
    ) -> Result<Cost, ServerError> {
        let items = &selections.node.items;
        items.iter().try_fold(Cost::default(), |sum, selection| {
            let cost = match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let introspects = introspects || matches!(name, "__schema" | "__type");
                    let below = self.of(&field.node.selection_set, introspects)?;
                    let each = below
                        .introspection
                        .saturating_mul(introspection_factor(name));
                    Cost {
                        fields: below.fields.saturating_add(1),
                        introspection: if introspects {
                            each.saturating_add(1)
                        } else {
                            below.introspection
                        },
                        depth: below.depth + 1,
                        roots: 1,
                    }
                }
                Selection::InlineFragment(fragment) => {
                    self.of(&fragment.node.selection_set, introspects)?.spread()
                }
                Selection::FragmentSpread(spread) => self
                    .of_fragment(&spread.node.fragment_name.node, introspects)?
                    .spread(),
            };
            Ok(sum.plus(cost))
        })
    }

    fn of_fragment(&mut self, name: &'a Name, introspects: bool) -> Result<Cost, ServerError> {
        if let Some(cost) = self.fragments.get(&(name, introspects)) {
            return Ok(*cost);
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Err(rejected(format!("there is no fragment `{name}`")));
        };
        if !self.open.insert(name) {
            return Err(rejected(format!("the fragment `{name}` spreads itself")));
        }
        if self.open.len() > FRAGMENT_CHAIN_MAX {
            return Err(rejected(format!(
                "fragments spread fragments more than {FRAGMENT_CHAIN_MAX} deep"
            )));
        }
        let cost = self.of(&fragment.node.selection_set, introspects)?;
        self.open.remove(name);
        self.fragments.insert((name, introspects), cost);
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
        assert_eq!(nesting(b"{a(b:[1]) # {{{{\n}"), Some(3));
        assert_eq!(nesting(br#"{a(b:"{{{{\"{{{")}"#), Some(2));
        assert_eq!(nesting(br#"{a(b:"""{{{ " \""" {{{""")}"#), Some(2));
        assert_eq!(nesting(b"#"), Some(0));
    }

    #[test]
    fn a_string_without_an_end_hides_nothing() {
        let nested = format!("{}1{}", "[".repeat(1_600), "]".repeat(1_600));
        for opening in ["\"\"\"\"", "\"\"\"", "\"", "\"\\", "\"a\n"] {
            assert_eq!(nesting(opening.as_bytes()), None, "{opening}");
            let text = format!("{{f(v:[{opening} {nested}])}}");
            assert!(
                check(&text).is_err_and(|message| message.contains("has no end")),
                "{opening}"
            );
        }
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
    fn spreads_that_lead_nowhere_cost_too() {
        let mut empty = "{...F0}".to_owned();
        for level in 0..29 {
            let spreads = format!("...F{} ", level + 1).repeat(20);
            write!(empty, "fragment F{level} on Query{{{spreads}}}").expect("written");
        }
        let open_ended = format!("{empty}fragment F29 on Query{{...X}}");
        assert!(check(&open_ended).is_err_and(|message| message.contains("no fragment `X`")));
        let closed = format!("{empty}fragment F29 on Query{{...on Query{{__typename}}}}");
        assert!(check(&closed).is_err_and(|message| message.contains("1000 fields")));
        let unused = closed.replacen("{...F0}", "{__typename}", 1);
        assert!(check(&unused).is_err_and(|message| message.contains("1000 fields")));
    }

    #[test]
    fn an_introspection_that_goes_round_in_circles_is_refused() {
        let round = format!(
            "{{__schema{{types{{{}name{}}}}}}}",
            "interfaces{possibleTypes{".repeat(6),
            "}}".repeat(6)
        );
        assert!(check(&round).is_err_and(|message| message.contains("introspection")));
        assert!(
            check("{__schema{types{name fields{name args{name type{name ofType{name}}}}}}}")
                .is_ok()
        );
    }

    #[test]
    fn a_subscription_selects_one_field() {
        assert!(check("subscription{a}").is_ok());
        assert!(check("subscription{a b}").is_err());
        assert!(check("subscription{...F} fragment F on Subscription{a b}").is_err());
        assert!(check("{a b}").is_ok());
    }
}
