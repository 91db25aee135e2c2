//! The schema: what is committed is what is served, and what is served is what was promised.

use std::collections::BTreeMap;

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition},
    },
};

/// Names with what each says.
type Names = BTreeMap<String, String>;

fn flat(text: Option<Positioned<String>>) -> String {
    let text = text.map(|text| text.node).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Adds fields of an object or interface, and their arguments.
fn add_fields(names: &mut Names, owner: &str, fields: Vec<Positioned<FieldDefinition>>) {
    for field in fields {
        let field = field.node;
        let name = format!("{owner}.{}", field.name.node);
        add_inputs(names, &name, field.arguments);
        names.insert(
            name,
            format!("{}: {}", field.ty.node, flat(field.description)),
        );
    }
}

/// Adds arguments, or fields of an input.
fn add_inputs(names: &mut Names, owner: &str, inputs: Vec<Positioned<InputValueDefinition>>) {
    for input in inputs {
        let input = input.node;
        let default = input
            .default_value
            .map(|value| value.node.to_string())
            .unwrap_or_default();
        let says = format!("{} = {default}: {}", input.ty.node, flat(input.description));
        names.insert(format!("{owner}.{}", input.name.node), says);
    }
}

/// Every name of a schema with what it says: types, fields, arguments, values, each with its type and description.
fn names(sdl: &str) -> Names {
    let mut names = Names::new();
    for definition in parse_schema(sdl).expect("a schema").definitions {
        let TypeSystemDefinition::Type(definition) = definition else {
            continue;
        };
        let definition = definition.node;
        let owner = definition.name.node.to_string();
        let sort = match definition.kind {
            TypeKind::Scalar => "scalar",
            TypeKind::Union(_) => "union",
            TypeKind::Object(object) => {
                for interface in object.implements {
                    names.insert(
                        format!("{owner}.implements.{}", interface.node),
                        String::new(),
                    );
                }
                add_fields(&mut names, &owner, object.fields);
                "type"
            }
            TypeKind::Interface(interface) => {
                add_fields(&mut names, &owner, interface.fields);
                "interface"
            }
            TypeKind::Enum(values) => {
                for value in values.values {
                    let value = value.node;
                    names.insert(
                        format!("{owner}.{}", value.value.node),
                        flat(value.description),
                    );
                }
                "enum"
            }
            TypeKind::InputObject(input) => {
                add_inputs(&mut names, &owner, input.fields);
                "input"
            }
        };
        names.insert(owner, format!("{sort}: {}", flat(definition.description)));
    }
    names
}

fn read(file: &str) -> String {
    std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).expect("a file")
}

#[test]
fn what_is_committed_is_what_is_served() {
    let (served, committed) = (parlor::graphql::sdl(), read("schema.graphql"));
    let differing = served
        .lines()
        .zip(committed.lines())
        .find(|(served, committed)| served != committed);
    assert_eq!(
        differing, None,
        "run `make schema` and commit schema.graphql"
    );
    assert_eq!(served.len(), committed.len());
}

#[test]
fn what_is_served_is_what_was_promised() {
    let (served, promised) = (
        names(&parlor::graphql::sdl()),
        names(&read("tests/promised.graphql")),
    );
    let differing: Vec<_> = served
        .iter()
        .filter(|(name, says)| promised.get(*name) != Some(*says))
        .collect();
    assert!(
        differing.is_empty(),
        "served otherwise than promised: {differing:#?}"
    );
    let missing: Vec<_> = promised
        .keys()
        .filter(|name| !served.contains_key(*name))
        .collect();
    assert!(missing.is_empty(), "promised and not served: {missing:#?}");
}

#[test]
fn every_name_has_a_description() {
    for (name, says) in names(&parlor::graphql::sdl()) {
        let described = says
            .rsplit(": ")
            .next()
            .is_some_and(|text| !text.is_empty());
        assert!(
            described || name.contains(".implements.") || name == "Node.id",
            "{name}"
        );
    }
}
