//! One operation as a stream of what to tell about it, whatever the wire.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::graphql::{Answer, Api, Asker, Kind, Operation, Subscription};

/// What the server says about an operation.
#[derive(Debug)]
pub(super) enum Told {
    /// A response, with its place where that was wanted and there is one; more may follow.
    Next(Bytes, Option<String>),
    /// The one response of a query or mutation.
    Only(Bytes),
    /// It could not be executed, or broke: a list of errors.
    Error(Bytes),
    /// Nothing more.
    Complete,
}

impl Told {
    /// Whether the operation is over.
    pub(super) fn is_last(&self) -> bool {
        !matches!(self, Self::Next(..))
    }

    /// What is told of an operation that cannot begin.
    pub(super) fn refusal(answer: Answer) -> Self {
        Self::Error(answer.errors.unwrap_or_default())
    }

    fn only(answer: Answer) -> Self {
        if answer.is_rejection {
            Self::refusal(answer)
        } else {
            Self::Only(answer.bytes)
        }
    }
}

/// An operation that is about to run.
pub(super) struct Begin {
    pub(super) api: Arc<Api>,
    pub(super) operation: Operation,
    pub(super) asker: Asker,
    /// Under which its faults are logged.
    pub(super) request_id: String,
    /// Whether each response is to have the place behind which a client goes on.
    pub(super) with_places: bool,
}

enum State {
    Asked(Box<Begin>),
    Open(Box<Subscription>, bool),
    Over,
}

/// Runs an operation as fast as its stream is read: a client that does not read costs nothing but its connection.
pub(super) fn run(begin: Begin) -> BoxStream<'static, Told> {
    stream::unfold(State::Asked(Box::new(begin)), step).boxed()
}

/// What is large and rare or short-lived is in boxes: a stream has room for its largest step as long as it lasts.
async fn step(state: State) -> Option<(Told, State)> {
    let (mut open, with_places) = match state {
        State::Asked(begin) => {
            let Begin {
                api,
                operation,
                asker,
                request_id,
                with_places,
            } = *begin;
            if operation.kind != Kind::Subscription {
                let answer = Box::pin(api.execute(operation, asker, &request_id)).await;
                return Some((Told::only(answer), State::Over));
            }
            match Box::pin(api.subscribe(operation, asker, &request_id)).await {
                Ok(open) => (Box::new(open), with_places),
                Err(answer) => return Some((Told::refusal(answer), State::Over)),
            }
        }
        State::Open(open, with_places) => (open, with_places),
        State::Over => return None,
    };
    match open.next().await {
        Some(Ok(response)) => {
            let place = with_places.then(|| open.place()).flatten();
            Some((Told::Next(response, place), State::Open(open, with_places)))
        }
        Some(Err(answer)) => Some((Told::refusal(answer), State::Over)),
        None => Some((Told::Complete, State::Over)),
    }
}
