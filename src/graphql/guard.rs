//! What stands before the validator: a document's cost is known before it runs.
//!
//! The library's validator walks a fragment again for every spread: 24 fragments that each spread the next one twice cost it
//! 22 seconds.

use async_graphql::{
    ServerError,
    parser::types::{ExecutableDocument, OperationType},
};

use super::{
    cost::{Cost, Costs},
    error::{Code, failure},
};
use crate::model::Limits;

/// A document that is too much; the message says which limit.
pub(super) fn rejected(message: String) -> ServerError {
    failure(Code::QueryRejected, message)
}

/// Checks what a parsed document stands for, in time that grows with its text only.
pub(super) fn check_document(
    document: &ExecutableDocument,
    limits: &Limits,
) -> Result<(), ServerError> {
    let mut costs = Costs::new(document);
    let max = limits.document_operations_max;
    if document.operations.iter().count() > max {
        return Err(rejected(format!(
            "the document has more than {max} operations"
        )));
    }
    let mut sum = Cost::default();
    for (_, operation) in document.operations.iter() {
        let cost = costs.of_operation(&operation.node)?;
        check_depth(cost, limits)?;
        // One of the operations runs.
        let (aliases, directives) = (sum.aliases, sum.directives);
        sum = sum.plus(cost);
        sum.aliases = aliases.max(cost.aliases);
        sum.directives = directives.max(cost.directives);
        check_roots(operation.node.ty, cost, limits)?;
    }
    // The validator walks fragments that no operation uses, too.
    for name in document.fragments.keys() {
        let unused = costs.of_unused(name)?;
        sum.fields = sum.fields.saturating_add(unused.fields);
    }
    check_sums(sum, limits)
}

fn check_roots(kind: OperationType, cost: Cost, limits: &Limits) -> Result<(), ServerError> {
    let max = limits.changes_max;
    match kind {
        OperationType::Subscription if cost.roots != 1 => Err(rejected(
            "a subscription must select exactly one field".to_owned(),
        )),
        OperationType::Mutation if cost.roots > max as u64 => Err(rejected(format!(
            "a mutation asks for at most {max} changes"
        ))),
        OperationType::Query | OperationType::Mutation | OperationType::Subscription => Ok(()),
    }
}

fn check_depth(cost: Cost, limits: &Limits) -> Result<(), ServerError> {
    for (what, depth, max) in [
        ("document selects", cost.depth, limits.selection_depth_max),
        (
            "introspection selects",
            cost.introspection_depth,
            limits.introspection_depth_max,
        ),
    ] {
        if depth > max {
            return Err(rejected(format!("the {what} fields more than {max} deep")));
        }
    }
    Ok(())
}

fn check_sums(sum: Cost, limits: &Limits) -> Result<(), ServerError> {
    if sum.introspection > 0 && !limits.introspection {
        let message = "introspection is off here; `parlor schema` prints the schema, and --introspection on allows to ask for it";
        return Err(rejected(message.to_owned()));
    }
    for (what, count, max) in [
        (
            "document stands for",
            sum.fields,
            (limits.fields_max, "fields"),
        ),
        ("document has", sum.aliases, (limits.aliases_max, "aliases")),
        (
            "document has",
            sum.directives,
            (limits.directives_max, "directives"),
        ),
        (
            "introspection may give",
            sum.introspection,
            (limits.introspection_cost_max, "values"),
        ),
    ] {
        let (max, unit) = max;
        if count > max as u64 {
            return Err(rejected(format!("the {what} more than {max} {unit}")));
        }
    }
    Ok(())
}

/// What the library says of a request that costs too much, without a word on how much that is.
const TOO_COMPLEX: &str = "Query is too complex.";

/// Names the limit in an error of the library that does not. It counts pages with the sizes that the variables give them.
pub(super) fn say_which_limit(errors: &mut [ServerError], limits: &Limits) {
    for error in errors {
        if error.message == TOO_COMPLEX {
            let max = limits.cost_max;
            error.message = format!(
                "the request may give more than {max} values; ask for smaller pages or fewer fields"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use async_graphql::parser::parse_query;

    use super::*;

    fn check(text: &str) -> Result<(), String> {
        let limits = Limits {
            introspection: true,
            ..Limits::default()
        };
        super::super::measure::check_text(text, &limits).map_err(|error| error.message)?;
        let document = parse_query(text).map_err(|error| error.to_string())?;
        check_document(&document, &limits).map_err(|error| error.message)
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
        let often = format!("{{__schema{{{}}}}}", "t:types{name} ".repeat(60));
        assert!(check(&often).is_err_and(|message| message.contains("introspection")));
        // What graphql-js 16 asks for: GraphiQL, code generators, everybody.
        let standard = "query IntrospectionQuery{__schema{queryType{name kind}mutationType{name kind}subscriptionType{name kind}types{...FullType}directives{name description locations args{...InputValue}}}}fragment FullType on __Type{kind name description fields(includeDeprecated:true){name description args{...InputValue}type{...TypeRef}isDeprecated deprecationReason}inputFields{...InputValue}interfaces{...TypeRef}enumValues(includeDeprecated:true){name description isDeprecated deprecationReason}possibleTypes{...TypeRef}}fragment InputValue on __InputValue{name description type{...TypeRef}defaultValue}fragment TypeRef on __Type{kind name ofType{name kind ofType{name kind ofType{name kind ofType{name kind ofType{name kind ofType{name kind ofType{name kind ofType{name kind ofType{name kind}}}}}}}}}}";
        assert_eq!(check(standard), Ok(()));
    }

    #[test]
    fn what_a_validator_would_report_one_by_one_is_bounded() {
        let directives = format!("{{__typename {}}}", "@a ".repeat(5_000));
        assert!(check(&directives).is_err_and(|message| message.contains("3000 words")));
        let variables = format!("{{a(x:[{}])}}", "$v ".repeat(5_000));
        assert!(check(&variables).is_err_and(|message| message.contains("3000 words")));
        let operations: String = ["query q(){a} "; 21].concat();
        let many = operations
            .split_inclusive(' ')
            .enumerate()
            .map(|(n, part)| part.replace("q()", &format!("q{n}")));
        assert!(
            check(&many.collect::<String>())
                .is_err_and(|message| message.contains("20 operations"))
        );
    }

    #[test]
    fn selections_lie_in_each_other_at_most_so_deep_whatever_they_are() {
        let inline = format!("{{{}__typename{}}}", "...{".repeat(40), "}".repeat(40));
        assert!(check(&inline).is_err_and(|message| message.contains("32 deep")));
        let mut chain = "{...F0}".to_owned();
        for level in 0..20 {
            let (open, close) = ("...{".repeat(40), "}".repeat(40));
            write!(
                chain,
                "fragment F{level} on Query{{{open}...F{}{close}}}",
                level + 1
            )
            .expect("written");
        }
        chain += "fragment F20 on Query{__typename}";
        assert!(check(&chain).is_err_and(|message| message.contains("32 deep")));
    }

    #[test]
    fn what_is_asked_again_and_again_is_counted_in_fragments_too() {
        let fragments =
            "{...A ...A ...A} fragment A on Query{...B ...B ...B ...B ...B} fragment B on Query";
        let renamed = check(&format!("{fragments}{{{}}}", "a:__typename ".repeat(20)));
        assert!(renamed.is_err_and(|message| message.contains("100 aliases")));
        let directed = check(&format!(
            "{fragments}{{__typename {}}}",
            "@include(if:true) ".repeat(20)
        ));
        assert!(directed.is_err_and(|message| message.contains("200 directives")));
        let deep = |levels| format!("{{{}a{}}}", "a{".repeat(levels), "}".repeat(levels));
        assert!(check(&deep(11)).is_ok());
        assert!(check(&deep(12)).is_err_and(|message| message.contains("12 deep")));
    }

    #[test]
    fn an_introspection_is_refused_where_it_is_off_and_the_name_of_a_type_is_not() {
        let check = |text: &str| {
            let document = parse_query(text).expect("parsed");
            check_document(&document, &Limits::default())
        };
        for text in [
            "{__schema{types{name}}}",
            "{...F} fragment F on Query{__type(name:\"User\"){name}}",
        ] {
            let refused = check(text).expect_err("refused");
            assert!(refused.message.contains("introspection is off"));
        }
        assert!(check("{__typename}").is_ok());
    }

    #[test]
    fn a_fragment_that_was_met_before_is_as_deep_where_it_is_met_again() {
        let (open, close) = ("...{".repeat(20), "}".repeat(20));
        let mut fragments = String::new();
        for n in 0..3 {
            let next = if n == 0 {
                "__typename".to_owned()
            } else {
                format!("...F{}", n - 1)
            };
            write!(fragments, "fragment F{n} on Query{{{open}{next}{close}}}").expect("written");
        }
        // Each is looked at in a shallow place first.
        let text = format!("{{...F0 ...F1 ...F2}}{fragments}");
        assert!(check(&text).is_err_and(|message| message.contains("32 deep")));
    }

    #[test]
    fn a_bomb_with_directives_is_too_much_and_not_more_than_can_be_counted() {
        let mut bomb = "{...F0}".to_owned();
        for level in 0..30 {
            let spreads = format!("...F{} ", level + 1).repeat(30);
            write!(bomb, "fragment F{level} on Query @a{{{spreads}}}").expect("written");
        }
        bomb += "fragment F30 on Query @a{__typename @a}";
        assert!(check(&bomb).is_err_and(|message| message.contains("1000 fields")));
    }

    #[test]
    fn a_subscription_selects_one_field() {
        assert!(check("subscription{a}").is_ok());
        assert!(check("subscription{a b}").is_err());
        assert!(check("subscription{...F} fragment F on Subscription{a b}").is_err());
        assert!(check("{a b}").is_ok());
    }
}
