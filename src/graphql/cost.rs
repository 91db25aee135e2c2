//! What a document stands for, counted in time that grows with its text only: each fragment once.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, ServerError,
    parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};

use super::guard::rejected;

/// Selections within selections, whether of fields, inline fragments or spreads.
const LEVELS_MAX: usize = 32;

fn check_level(level: usize) -> Result<(), ServerError> {
    if level > LEVELS_MAX {
        let message = format!("selections lie more than {LEVELS_MAX} deep in each other");
        return Err(rejected(message));
    }
    Ok(())
}

/// What a field of an introspection gives, about, when each thing in it gives so much. The numbers are those of our schema;
/// a thing in a list takes memory of its own, whatever is told of it.
fn introspected(field: &str, each: u64) -> u64 {
    let list = |things: u64, own: u64| each.saturating_add(own).saturating_mul(things);
    let below = match field {
        "types" => list(150, 10),
        "fields" => list(6, 4),
        "directives" => list(5, 4),
        "enumValues" | "inputFields" | "possibleTypes" => list(4, 4),
        "args" | "interfaces" => list(2, 4),
        // Clients ask nine times, and mostly there is nothing after the first.
        "ofType" => each / 2,
        _ => each,
    };
    below.saturating_add(1)
}

/// What is counted.
#[derive(Clone, Copy, Default)]
pub(super) struct Cost {
    /// Fields and spreads, with every fragment written out.
    pub(super) fields: u64,
    /// Values that an introspection gives, about.
    pub(super) introspection: u64,
    /// Fields that are called otherwise than they are.
    pub(super) aliases: u64,
    pub(super) directives: u64,
    /// Fields within fields, those of an introspection left out.
    pub(super) depth: usize,
    /// Fields within fields of an introspection, and those around it.
    pub(super) introspection_depth: usize,
    /// Fields at the top.
    pub(super) roots: u64,
    /// Selections within selections, down to the lowest, fragments written out.
    levels: usize,
}

impl Cost {
    /// A spread is a step of its own: one that leads to nothing is walked all the same.
    fn spread(self) -> Self {
        Self {
            fields: self.fields.saturating_add(1),
            ..self
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            introspection: self.introspection.saturating_add(other.introspection),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            depth: self.depth.max(other.depth),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
            roots: self.roots.saturating_add(other.roots),
            levels: self.levels.max(other.levels),
        }
    }
}

/// Counts in a document, remembering what each fragment costs.
pub(super) struct Costs<'a> {
    document: &'a ExecutableDocument,
    fragments: HashMap<(&'a Name, bool), Cost>,
    open: HashSet<&'a Name>,
}

impl<'a> Costs<'a> {
    pub(super) fn new(document: &'a ExecutableDocument) -> Self {
        Self {
            document,
            fragments: HashMap::new(),
            open: HashSet::new(),
        }
    }

    /// What an operation stands for.
    pub(super) fn of_operation(
        &mut self,
        operation: &'a OperationDefinition,
    ) -> Result<Cost, ServerError> {
        let mut cost = self.of(&operation.selection_set, false, 0)?;
        let own = operation.directives.len() as u64;
        cost.directives = cost.directives.saturating_add(own);
        Ok(cost)
    }

    /// What a fragment stands for, whoever spreads it.
    pub(super) fn of_unused(&mut self, name: &'a Name) -> Result<Cost, ServerError> {
        self.of_fragment(name, false, 0)
    }

    /// `level`: fields, spreads and inline fragments around these. The recursion, here and in the libraries, goes along
    /// them.
    fn of(
        &mut self,
        selections: &'a Positioned<SelectionSet>,
        introspects: bool,
        level: usize,
    ) -> Result<Cost, ServerError> {
        check_level(level)?;
        let level = level + 1;
        let items = &selections.node.items;
        items.iter().try_fold(Cost::default(), |sum, selection| {
            let cost = match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let introspects = introspects || matches!(name, "__schema" | "__type");
                    let below = self.of(&field.node.selection_set, introspects, level)?;
                    Cost {
                        fields: below.fields.saturating_add(1),
                        introspection: if introspects {
                            introspected(name, below.introspection)
                        } else {
                            below.introspection
                        },
                        aliases: below
                            .aliases
                            .saturating_add(u64::from(field.node.alias.is_some())),
                        directives: below.directives,
                        depth: if introspects { 0 } else { below.depth + 1 },
                        introspection_depth: if introspects || below.introspection_depth > 0 {
                            below.introspection_depth + 1
                        } else {
                            0
                        },
                        roots: 1,
                        levels: below.levels,
                    }
                }
                Selection::InlineFragment(fragment) => self
                    .of(&fragment.node.selection_set, introspects, level)?
                    .spread(),
                Selection::FragmentSpread(spread) => self
                    .of_fragment(&spread.node.fragment_name.node, introspects, level)?
                    .spread(),
            };
            let directives = selection.node.directives().len() as u64;
            Ok(sum.plus(Cost {
                directives: cost.directives.saturating_add(directives),
                levels: cost.levels + 1,
                ..cost
            }))
        })
    }

    fn of_fragment(
        &mut self,
        name: &'a Name,
        introspects: bool,
        level: usize,
    ) -> Result<Cost, ServerError> {
        if let Some(cost) = self.fragments.get(&(name, introspects)) {
            // It was met in a shallower place, perhaps.
            check_level(level + cost.levels)?;
            return Ok(*cost);
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Err(rejected(format!("there is no fragment `{name}`")));
        };
        if !self.open.insert(name) {
            return Err(rejected(format!("the fragment `{name}` spreads itself")));
        }
        let mut cost = self.of(&fragment.node.selection_set, introspects, level)?;
        let own = fragment.node.directives.len() as u64;
        cost.directives = cost.directives.saturating_add(own);
        self.open.remove(name);
        self.fragments.insert((name, introspects), cost);
        Ok(cost)
    }
}
