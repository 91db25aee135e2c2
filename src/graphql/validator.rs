//! Whether a document is one of our schema, and whether variables fit it, as the specification has it (§5, §6.1.2).
//!
//! async-graphql checks too, at each execution, but not all: it lets through variables of another type than their
//! argument and fields that overlap, and takes left-out variables for errors. So documents are checked here, once, and it
//! is told not to.

use std::sync::LazyLock;

use apollo_compiler::{
    ExecutableDocument, Schema, executable::Operation, request::coerce_variable_values,
    response::JsonMap, validation::Valid,
};
use async_graphql::{Name, Pos, ServerError, Value as ConstValue, Variables};
use serde_json_bytes::Value as Json;

use super::{
    error::{Code, failure},
    fitting::fit,
    schema::sdl,
};

/// Faults of one document that are told.
const FAULTS_MAX: usize = 20;

/// A document that is valid, in the checker's own form.
pub(super) type Checked = Valid<ExecutableDocument>;

/// What the checker does not know yet: `isOneOf`, of the specification of September 2025.
const ADDITIONS: &str = "extend type __Type { isOneOf: Boolean }";

/// The schema as the checker has it. It follows from the code alone, so one serves the process.
static SCHEMA: LazyLock<Option<Valid<Schema>>> = LazyLock::new(|| {
    let text = format!("{}{ADDITIONS}", sdl());
    Schema::parse_and_validate(text, "schema.graphql")
        .inspect_err(|faults| tracing::error!(%faults.errors, "the schema is not valid"))
        .ok()
});

fn schema() -> Result<&'static Valid<Schema>, ServerError> {
    // A test reads the schema; here it is a fault of ours, and no reason to stop.
    SCHEMA
        .as_ref()
        .ok_or_else(|| failure(Code::Internal, "internal error"))
}

/// Checks a document.
pub(super) fn check(text: &str) -> Result<Checked, Vec<ServerError>> {
    let schema = schema().map_err(|error| vec![error])?;
    ExecutableDocument::parse_and_validate(schema, text, "").map_err(|faults| {
        let is_consequence = |name| name == Some("MissingSubselection");
        // A field whose selection has nothing that exists has an empty one to the checker; that is no fault of its own.
        let all_are = faults
            .errors
            .iter()
            .all(|fault| is_consequence(fault.error.unstable_error_name()));
        let faults = faults
            .errors
            .iter()
            .filter(|fault| all_are || !is_consequence(fault.error.unstable_error_name()))
            .take(FAULTS_MAX);
        faults
            .map(|fault| {
                let fault = fault.unstable_to_json_compat();
                let mut error = failure(Code::QueryRejected, fault.message);
                let places = fault.locations.into_iter();
                error.locations = places
                    .map(|place| Pos {
                        line: place.line,
                        column: place.column,
                    })
                    .collect();
                error
            })
            .collect()
    })
}

/// The variables of an operation as its types have them: defaults filled in, single values put into lists, all that it
/// does not declare left out.
pub(super) fn coerce(
    document: &Checked,
    operation: Option<&str>,
    variables: Variables,
) -> Result<Variables, ServerError> {
    let wrong = |error: apollo_compiler::request::RequestError| {
        failure(Code::BadUserInput, error.message().to_string())
    };
    let operation = document.operations.get(operation).map_err(wrong)?;
    if operation.variables.is_empty() {
        return Ok(Variables::default());
    }
    if fit(schema()?, operation, &variables) {
        return Ok(variables);
    }
    coerce_each(operation, variables)
}

fn coerce_each(operation: &Operation, mut variables: Variables) -> Result<Variables, ServerError> {
    let wrong = |error: apollo_compiler::request::RequestError| {
        failure(Code::BadUserInput, error.message().to_string())
    };
    let given: JsonMap = std::mem::take(&mut *variables)
        .into_iter()
        .map(|(name, value)| (name.as_str().into(), to_json(value)))
        .collect();
    let coerced = coerce_variable_values(schema()?, operation, &given).map_err(wrong)?;
    let named = coerced.into_inner().into_iter();
    for (name, value) in named {
        variables.insert(Name::new(name.as_str()), from_json(value));
    }
    Ok(variables)
}

fn to_json(value: ConstValue) -> Json {
    match value {
        ConstValue::Null | ConstValue::Binary(_) => Json::Null,
        ConstValue::Number(number) => Json::Number(number),
        ConstValue::String(text) => Json::String(text.into()),
        ConstValue::Boolean(is) => Json::Bool(is),
        ConstValue::Enum(name) => Json::String(name.as_str().into()),
        ConstValue::List(items) => Json::Array(items.into_iter().map(to_json).collect()),
        ConstValue::Object(fields) => {
            let fields = fields.into_iter();
            Json::Object(
                fields
                    .map(|(name, value)| (name.as_str().into(), to_json(value)))
                    .collect(),
            )
        }
    }
}

fn from_json(value: Json) -> ConstValue {
    match value {
        Json::Null => ConstValue::Null,
        Json::Number(number) => ConstValue::Number(number),
        Json::String(text) => ConstValue::String(text.as_str().to_owned()),
        Json::Bool(is) => ConstValue::Boolean(is),
        Json::Array(items) => ConstValue::List(items.into_iter().map(from_json).collect()),
        Json::Object(fields) => {
            let fields = fields.into_iter();
            ConstValue::Object(
                fields
                    .map(|(name, value)| (Name::new(name.as_str()), from_json(value)))
                    .collect(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checker_takes_our_schema_and_knows_what_the_library_lets_through() {
        assert!(schema().is_ok());
        assert!(check("{viewer{user{id}} __schema{types{isOneOf}}}").is_ok());
        for invalid in [
            "query($id:ID){node(id:$id){id}}",
            "{viewer{user{a:handle} user{a:displayName}}}",
            "{__typename(a:1)}",
            "{nothing}",
        ] {
            assert!(check(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn what_fits_is_left_as_it_is_by_coercing() {
        let text = "mutation($i:SendMessageInput!,$n:Int,$u:[ID!]!,$b:Boolean=true){sendMessage(input:$i){wasDuplicate@include(if:$b) messageEdge{node{conversation{messages(first:$n){pageInfo{hasNextPage}}}}}} addMembers(input:{conversationId:\"c\",userIds:$u}){userErrors{code}}}";
        let checked = check(text).unwrap_or_else(|faults| panic!("{faults:?}"));
        let operation = checked.operations.get(None).expect("the operation");
        let fits = |variables: serde_json::Value| {
            let variables = Variables::from_json(variables);
            let fits = fit(schema().expect("the schema"), operation, &variables);
            let coerced = coerce_each(operation, variables.clone());
            let is_same = coerced.is_ok_and(|coerced| *coerced == *variables);
            assert!(is_same || !fits, "{variables:?}");
            fits
        };
        let whole = serde_json::json!({"i": {"conversationId": "c", "text": "t"}, "n": 1, "u": ["u"], "b": false});
        assert!(fits(whole.clone()));
        let changed = |at: &str, value: serde_json::Value| {
            let mut variables = whole.clone();
            *variables.pointer_mut(at).expect("a place") = value;
            variables
        };
        for (at, value) in [
            ("/n", serde_json::json!(null)),
            ("/u", serde_json::json!([])),
        ] {
            assert!(fits(changed(at, value)), "{at}");
        }
        for (at, value) in [
            ("", serde_json::json!({})),
            ("/i", serde_json::json!(null)),
            ("/i", serde_json::json!([])),
            ("/i", serde_json::json!({"text": "t"})),
            (
                "/i",
                serde_json::json!({"conversationId": "c", "text": "t", "other": 1}),
            ),
            ("/i/conversationId", serde_json::json!(1)),
            ("/i/text", serde_json::json!(null)),
            ("/n", serde_json::json!(1.5)),
            ("/n", serde_json::json!(3_000_000_000_u32)),
            ("/n", serde_json::json!("1")),
            ("/u", serde_json::json!("u")),
            ("/u", serde_json::json!([null])),
            ("/b", serde_json::json!("true")),
        ] {
            assert!(!fits(changed(at, value.clone())), "{at} {value}");
        }
        let mut more = whole.clone();
        more["unknown"] = 1.into();
        assert!(!fits(more));
        let mut fewer = whole;
        fewer.as_object_mut().expect("an object").remove("b");
        assert!(!fits(fewer), "it has a default");
    }
}
