//! Whether variables are already as their types have them. Those of most clients are, for code that was generated made them;
//! then there is nothing to coerce, which costs as much as reading the whole request.
//!
//! Where this is in doubt it says no, and the checker coerces or refuses (see [`super::validator`]).

use apollo_compiler::{
    Schema,
    ast::{Type, VariableDefinition},
    executable::Operation,
    schema::ExtendedType,
};
use async_graphql::{Value, Variables};

/// Whether coercing would change nothing.
pub(super) fn fit(schema: &Schema, operation: &Operation, variables: &Variables) -> bool {
    let mut declared = 0;
    let is_each_fit = operation.variables.iter().all(|of| {
        let VariableDefinition {
            name,
            ty,
            default_value,
            ..
        } = &**of;
        match variables.get(name.as_str()) {
            Some(value) => {
                declared += 1;
                is_of(schema, ty, value)
            }
            None => default_value.is_none() && !ty.is_non_null(),
        }
    });
    is_each_fit && declared == variables.len()
}

fn is_of(schema: &Schema, of: &Type, value: &Value) -> bool {
    match (of, value) {
        (Type::Named(_) | Type::List(_), Value::Null) => true,
        (Type::List(inner) | Type::NonNullList(inner), Value::List(items)) => {
            items.iter().all(|item| is_of(schema, inner, item))
        }
        (Type::Named(name) | Type::NonNullNamed(name), _) => is_named(schema, name, value),
        (Type::List(_) | Type::NonNullList(_), _) => false,
    }
}

fn is_named(schema: &Schema, name: &str, value: &Value) -> bool {
    match (name, value) {
        ("String" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) => true,
        ("Int", Value::Number(number)) => {
            let whole = number.as_i64().map(i32::try_from);
            whole.is_some_and(|whole| whole.is_ok())
        }
        (_, Value::Object(given)) => {
            let Some(ExtendedType::InputObject(object)) = schema.types.get(name) else {
                return false;
            };
            let fields = &object.fields;
            given.keys().all(|name| fields.contains_key(name.as_str()))
                && fields
                    .iter()
                    .all(|(name, field)| match given.get(name.as_str()) {
                        Some(value) => is_of(schema, &field.ty, value),
                        None => field.default_value.is_none() && !field.ty.is_non_null(),
                    })
        }
        _ => false,
    }
}
