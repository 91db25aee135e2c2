//! One operation on a socket, as a stream of what to tell about it.

use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt};

use super::protocol::{OperationId, Told};
use crate::graphql::{Answer, Api, Asker, Kind, Operation, Subscription};

/// What an operation's stream gives.
pub(super) type Telling = (OperationId, Told);

enum State {
    Asked(Box<(Arc<Api>, Operation, Asker, String)>),
    Open(Box<Subscription>),
    Over,
}

fn told(answer: Answer) -> Told {
    match answer.errors {
        Some(errors) if answer.is_rejection => Told::Error(errors),
        _ => Told::Only(answer.bytes),
    }
}

/// Runs an operation as fast as its stream is read: a client that does not read costs nothing but its socket.
pub(super) fn run(
    api: Arc<Api>,
    id: OperationId,
    operation: Operation,
    asker: Asker,
    request_id: String,
) -> BoxStream<'static, Telling> {
    let begin = State::Asked(Box::new((api, operation, asker, request_id)));
    stream::unfold(begin, step)
        .map(move |told| (id.clone(), told))
        .boxed()
}

async fn step(state: State) -> Option<(Told, State)> {
    let mut open = match state {
        State::Asked(begin) => {
            let (api, operation, asker, request_id) = *begin;
            if operation.kind != Kind::Subscription {
                return Some((
                    told(api.execute(operation, asker, &request_id).await),
                    State::Over,
                ));
            }
            match api.subscribe(operation, asker, &request_id).await {
                Ok(open) => Box::new(open),
                Err(answer) => {
                    return Some((Told::Error(answer.errors.unwrap_or_default()), State::Over));
                }
            }
        }
        State::Open(open) => open,
        State::Over => return None,
    };
    match open.next().await {
        Some(Ok(response)) => Some((Told::Next(response), State::Open(open))),
        Some(Err(answer)) => Some((Told::Error(answer.errors.unwrap_or_default()), State::Over)),
        None => Some((Told::Complete, State::Over)),
    }
}
