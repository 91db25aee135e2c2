//! Whether a thing is selected twice under one key, as `a { b } a { c }`: then it is resolved twice and what comes of it put
//! together (§6.3.2 of the specification), for which it has to be the library's own values.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned,
    parser::types::{Field, FragmentDefinition, Selection, SelectionSet},
};

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Whether nothing is, in a selection and in those of the fragments. Each selection is looked at once, so this takes no
/// longer than the square of how much there is, however fragments are spread.
pub(super) fn is_single(selected: &SelectionSet, fragments: &Fragments) -> bool {
    let of_fragments = fragments.values().map(|of| &of.node.selection_set.node);
    std::iter::once(selected)
        .chain(of_fragments)
        .all(|selected| are_all_single(selected, fragments))
}

fn are_all_single(selected: &SelectionSet, fragments: &Fragments) -> bool {
    let mut met = Met {
        fragments,
        keys: HashSet::new(),
        spread: HashSet::new(),
    };
    met.is_new(selected) && met.below(selected)
}

/// What was met of one thing.
struct Met<'a> {
    fragments: &'a Fragments,
    keys: HashSet<&'a Name>,
    spread: HashSet<&'a Name>,
}

impl<'a> Met<'a> {
    /// Whether everything with a selection of its own is met for the first time.
    fn is_new(&mut self, selected: &'a SelectionSet) -> bool {
        selected
            .items
            .iter()
            .all(|selection| match &selection.node {
                Selection::Field(field) => {
                    !has_selection(&field.node) || self.keys.insert(&field.node.response_key().node)
                }
                Selection::InlineFragment(fragment) => {
                    self.is_new(&fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let fragment = self.fragments.get(name);
                    self.spread.insert(name)
                        && fragment.is_none_or(|of| self.is_new(&of.node.selection_set.node))
                }
            })
    }

    /// Whether that holds of everything selected below. What fragments select is looked at with them.
    fn below(&self, selected: &SelectionSet) -> bool {
        selected
            .items
            .iter()
            .all(|selection| match &selection.node {
                Selection::Field(field) => {
                    let below = &field.node.selection_set.node;
                    !has_selection(&field.node) || are_all_single(below, self.fragments)
                }
                Selection::InlineFragment(fragment) => {
                    self.below(&fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(_) => true,
            })
    }
}

fn has_selection(field: &Field) -> bool {
    !field.selection_set.node.items.is_empty()
}

#[cfg(test)]
mod tests {
    use async_graphql::{Variables, parser::parse_query};

    use crate::graphql::{document::operation, plan::plan};

    fn is_single(text: &str) -> bool {
        let document = parse_query(text).expect("parsed");
        let operation = operation(&document, None).expect("the operation");
        plan(&document, operation, &Variables::default()).is_single
    }

    #[test]
    fn what_is_selected_once_or_has_nothing_below_it_is_single() {
        for text in [
            "{a{b c{d}} e{b c{d}}}",
            "{a{b b ...F ...on T{b}}} fragment F on T{b c{d}}",
            "{a{c{d} x:c{d}}}",
            "{a{...F} b{...F}} fragment F on T{c{d}}",
            // Fields of the root are put together before.
            "{a{b} a{c}}",
        ] {
            assert!(is_single(text), "{text}");
        }
    }

    #[test]
    fn what_is_selected_twice_is_not_however_it_is_written() {
        for text in [
            "{a{c{d} c{e}}}",
            "{a{c{d} ...{c{e}}}}",
            "{a{c{d} ...F}} fragment F on T{...G} fragment G on T{c{e}}",
            "{a{x{c{d} c{e}}}}",
            "{a{...F}} fragment F on T{x{...{c{d}} c{e}}}",
            "{a{c{d}} a{c{e}}}",
            "{a{x:c{d} x:c{e}}}",
        ] {
            assert!(!is_single(text), "{text}");
        }
    }
}
