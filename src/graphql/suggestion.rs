//! Names that somebody may have meant, for people who write documents by hand. The checker of documents proposes none; the
//! library does.

use std::sync::LazyLock;

use async_graphql::{Request, ServerError, parser::types::ExecutableDocument};
use futures_util::FutureExt;

use super::{
    error::{Code, tag},
    schema::{self, Schema},
};

/// A schema over nothing: it checks, and never executes.
static CHECKING: LazyLock<Schema> = LazyLock::new(schema::checking);

/// The name of an operation that no document has. The library checks a document before it looks for the operation.
const NO_OPERATION: &str = "";

/// The faults of a document with proposals, if there are any.
pub(super) fn suggest(document: &ExecutableDocument) -> Option<Vec<ServerError>> {
    let mut request = Request::new(String::new()).operation_name(NO_OPERATION);
    request.set_parsed_query(document.clone());
    let response = CHECKING.execute(request).now_or_never()?;
    let mut faults = response.errors;
    let proposes = |fault: &ServerError| fault.message.contains("Did you mean");
    faults.retain(proposes);
    for fault in &mut faults {
        tag(fault, Code::QueryRejected);
    }
    (!faults.is_empty()).then_some(faults)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_nonsense_is_not() {
        let suggest = |text: &str| suggest(&parse_query(text).expect("parsed"));
        let faults = suggest("{viewer{usr{id}}}").expect("a proposal");
        assert!(
            faults[0].message.contains("\"user\""),
            "{}",
            faults[0].message
        );
        assert!(suggest("{quite_something_else}").is_none());
    }
}
