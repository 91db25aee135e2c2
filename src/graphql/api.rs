//! The door of this room: a request comes in as data, bytes go out.

use std::sync::Arc;

use async_graphql::{
    Request, Response, SchemaEnv, ServerError, Value, Variables,
    parser::types::{ExecutableDocument, OperationType},
};
use bytes::Bytes;
use serde::Serialize;
use tokio::time::timeout;
use tokio_stream::StreamExt;

use super::{
    context::Asker,
    document::{self, Documents},
    error::{self, Code, failure},
    guard,
    persisted::Persisted,
    render::{Opened, Opening, Told, Unheard},
    schema::{self, Schema},
    telling, validator,
};
use crate::{
    chat::{self, Chat},
    live::{Feed, Heard, Rendering},
    model::{Limits, News},
};

/// The API over a chat.
pub struct Api {
    chat: Arc<Chat>,
    /// What has no errors is executed by this one alone.
    quick: Schema,
    /// Puts errors right, which costs something at every field: it executes mutations, and anew what failed.
    exact: Schema,
    documents: Documents,
    persisted: Persisted,
}

/// What sort of operation a request means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Reads.
    Query,
    /// Changes.
    Mutation,
    /// Listens.
    Subscription,
}

/// A request whose document is known to be one, and not too much.
pub struct Operation {
    /// Its sort.
    pub kind: Kind,
    plan: Arc<ExecutableDocument>,
    variables: Variables,
    /// Of a subscription, the name of what it makes of news.
    rendering: Option<Rendering>,
}

/// A response, as bytes of JSON.
#[derive(Debug)]
pub struct Answer {
    /// The response.
    pub bytes: Bytes,
    /// Whether nothing was executed: the request itself was at fault.
    pub is_rejection: bool,
    /// What went wrong on our side, if that is why nothing was executed to its end.
    pub fault: Option<Code>,
    /// The errors alone, when there are any, as the socket protocol wants them.
    pub errors: Option<Bytes>,
}

impl Api {
    /// Begins.
    pub fn new(chat: Arc<Chat>) -> Self {
        Self {
            quick: schema::quick(Arc::clone(&chat)),
            exact: schema::exact(Arc::clone(&chat)),
            chat,
            documents: Documents::new(),
            persisted: Persisted::new(),
        }
    }

    /// The chat behind it.
    pub fn chat(&self) -> &Arc<Chat> {
        &self.chat
    }

    /// Looks at a request before anything runs.
    pub fn prepare(&self, request: Request) -> Result<Operation, Answer> {
        self.plan(request).map_err(Answer::rejection)
    }

    fn plan(&self, mut request: Request) -> Result<Operation, Vec<ServerError>> {
        let limits = self.chat.limits();
        let alone = |error| vec![error];
        document::check_variables_size(&request.variables, limits.variable_values_max)
            .map_err(alone)?;
        let asked = self.persisted.find(&mut request).map_err(alone)?;
        let document = self.documents.find(&asked.text, limits)?;
        self.persisted.remember(&asked);
        // What is left empty, as forms do, is left out.
        let name = request.operation_name.filter(|name| !name.is_empty());
        let name = name.as_deref();
        let operation = document::operation(&document.parsed, name).map_err(alone)?;
        let variables =
            validator::coerce(&document.checked, name, request.variables).map_err(alone)?;
        let kind = match operation.node.ty {
            OperationType::Query => Kind::Query,
            OperationType::Mutation => Kind::Mutation,
            OperationType::Subscription => Kind::Subscription,
        };
        let form = || document::rendering(&asked.text, &document.parsed, operation, &variables);
        Ok(Operation {
            kind,
            plan: document.plan(operation, &variables),
            rendering: (kind == Kind::Subscription).then(form),
            variables,
        })
    }

    /// Runs a query or mutation. A query has a time; a mutation is not cut off, for what it writes is written.
    pub async fn execute(&self, operation: Operation, asker: Asker, request_id: &str) -> Answer {
        if operation.kind == Kind::Mutation {
            return self.execute_exactly(&operation, asker, request_id).await;
        }
        let within = self.chat.limits().query_within;
        let answer = async {
            let again = asker.again();
            match self.execute_quickly(&operation, asker).await {
                Some(answer) => answer,
                None => self.execute_exactly(&operation, again, request_id).await,
            }
        };
        timeout(within, answer)
            .await
            .unwrap_or_else(|_| Answer::timeout())
    }

    /// The response, if there are no errors in it.
    async fn execute_quickly(&self, operation: &Operation, asker: Asker) -> Option<Answer> {
        let request = operation.request().data(Arc::new(asker));
        let response = self.quick.execute(request).await;
        response
            .is_ok()
            .then(|| Answer::new(&[], Some(&response.data)))
    }

    async fn execute_exactly(
        &self,
        operation: &Operation,
        asker: Asker,
        request_id: &str,
    ) -> Answer {
        let asker = Arc::new(asker);
        let request = operation.request().data(Arc::clone(&asker));
        let response = self.exact.execute(request).await;
        Answer::of(response, &asker, self.chat.limits(), request_id)
    }

    /// Opens a subscription's stream; an answer with errors when it cannot be.
    pub async fn subscribe(
        self: &Arc<Self>,
        operation: Operation,
        asker: Asker,
        request_id: &str,
    ) -> Result<Subscription, Answer> {
        let opening = Opening::default();
        let asker = Arc::new(asker);
        let request = operation
            .request()
            .data(Arc::clone(&asker))
            .data(opening.clone());
        let mut opening_stream = self.exact.execute_stream(request);
        let within = self.chat.limits().query_within;
        match timeout(within, opening_stream.next()).await {
            Ok(None) => {}
            Ok(Some(response)) => {
                return Err(Answer::of(response, &asker, self.chat.limits(), request_id));
            }
            Err(_) => return Err(Answer::timeout()),
        }
        // Nothing to hear: the one field was left out by a directive.
        let Opened { feed, schema } = opening.take().ok_or_else(|| {
            Answer::rejection(vec![failure(
                Code::QueryRejected,
                "the subscription selects nothing",
            )])
        })?;
        let api = Arc::clone(self);
        Ok(Subscription {
            api,
            operation,
            asker: asker.again(),
            schema,
            feed,
            told: None,
            request_id: request_id.to_owned(),
        })
    }
}

impl Operation {
    fn request(&self) -> Request {
        let mut request = Request::new(String::new()).variables(self.variables.clone());
        request.set_parsed_query(ExecutableDocument::clone(&self.plan));
        request
    }
}

/// An open stream of responses.
pub struct Subscription {
    api: Arc<Api>,
    operation: Operation,
    asker: Asker,
    schema: SchemaEnv,
    feed: Feed,
    /// What was told last.
    told: Option<Heard>,
    request_id: String,
}

impl Subscription {
    /// The next response; none when the stream has ended, errors when it broke.
    pub async fn next(&mut self) -> Option<Result<Bytes, Answer>> {
        let heard = match self.feed.next().await {
            Ok(Some(heard)) => heard,
            Ok(None) => return None,
            Err(cause) => return Some(Err(self.broken(cause))),
        };
        let told = match self.shared(&heard) {
            Some(bytes) => Some(Ok(bytes)),
            // In a box: see the stream that this is part of.
            None => Box::pin(self.make(&heard)).await,
        };
        self.told = Some(heard);
        told
    }

    /// What another listener made of a piece of news.
    fn shared(&self, heard: &Heard) -> Option<Bytes> {
        let (item, form) = heard.common().zip(self.operation.rendering)?;
        item.rendered(form)
    }

    /// Makes a response of a piece of news.
    async fn make(&mut self, heard: &Heard) -> Option<Result<Bytes, Answer>> {
        let unheard = Unheard::default();
        let told = self.render(heard, false, &unheard).await;
        let told = match (told, &self.feed) {
            (Ok(bytes), _) => Some(Ok(bytes)),
            // Something in the frame went between being looked up and being told. What is gone is left out when it is
            // looked up again.
            (Err(_), Feed::Events(_)) => Some(self.render(heard, true, &unheard).await),
            // The news could not be told. To go on would leave a hole; the client comes back and hears it then, unless
            // it was removed meanwhile.
            (Err(answer), Feed::Messages(feed)) => match feed.may_read().await {
                Ok(true) => Some(Err(answer)),
                Ok(false) => None,
                Err(cause) => Some(Err(self.broken(cause))),
            },
            // It counts as told; who comes back is told the current states first.
            (Err(answer), Feed::Typing(_) | Feed::Presence(_)) => Some(Err(answer)),
        };
        if let Feed::Events(feed) = &mut self.feed {
            feed.leave_out(unheard.take());
        }
        told
    }

    /// Where a client goes on that comes back after what was told last: the cursor of a frame of events, the number of a
    /// message. None for passing states, which begin anew.
    pub fn place(&self) -> Option<String> {
        match self.told.as_ref()? {
            Heard::Frame(frame) => Some(self.api.chat.cursor(&frame.cursor)),
            Heard::News(item) => {
                let News::MessageSent(message) = &item.change.news else {
                    return None;
                };
                Some(message.seq.to_string())
            }
            Heard::Typing(..) | Heard::Presence(..) => None,
        }
    }

    fn broken(&self, cause: impl Into<chat::Error>) -> Answer {
        let fault = error::Fault::from(cause.into());
        let mut errors = [fault.into_server_error()];
        error::finish(&mut errors, &self.request_id);
        Answer::rejection(errors.into())
    }

    /// What this subscription makes of a piece of news. Made once for all who select the same, unless it depends on who
    /// asks. Errors when nothing could be made of it.
    async fn render(
        &self,
        heard: &Heard,
        is_again: bool,
        unheard: &Unheard,
    ) -> Result<Bytes, Answer> {
        let within = self.api.chat.limits().query_within;
        let telling = async {
            let asker = Arc::new(self.asker.again());
            let told = || Told {
                heard: heard.clone(),
                is_again,
                unheard: unheard.clone(),
            };
            let (plan, variables) = (&self.operation.plan, &self.operation.variables);
            let quick = telling::tell(&self.schema, plan, variables, Arc::clone(&asker), told());
            if let Some(data) = quick.await {
                return (Response::new(data), asker);
            }
            let asker = Arc::new(self.asker.again());
            let request = self.operation.request();
            let request = request.data(Arc::clone(&asker)).data(told());
            let response = self.api.exact.execute_stream(request).next().await;
            (response.unwrap_or_default(), asker)
        };
        let told = timeout(within, telling).await;
        let (response, asker) = told.map_err(|_| Answer::timeout())?;
        let is_shared = response.is_ok() && !asker.was_looked_at();
        let is_lost = response.is_err() && is_null(&response.data);
        let answer = Answer::of(response, &asker, self.api.chat.limits(), &self.request_id);
        if is_lost {
            return Err(answer);
        }
        if is_shared && let Some((item, form)) = heard.common().zip(self.operation.rendering) {
            item.keep(form, answer.bytes.clone());
        }
        Ok(answer.bytes)
    }
}

/// Whether a subscription's response has nothing in its one field.
fn is_null(data: &Value) -> bool {
    if let Value::Object(fields) = data {
        return fields.values().all(|value| *value == Value::Null);
    }
    *data == Value::Null
}

/// A response as clients get it: `data` is left out when nothing was executed.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

impl Answer {
    fn of(mut response: Response, asker: &Asker, limits: &Limits, request_id: &str) -> Self {
        guard::say_which_limit(&mut response.errors, limits);
        error::finish(&mut response.errors, request_id);
        let has_begun = response.errors.is_empty() || asker.has_begun();
        Self::new(&response.errors, has_begun.then_some(&response.data))
    }

    fn timeout() -> Self {
        Self {
            fault: Some(Code::Timeout),
            ..Self::rejection(vec![failure(Code::Timeout, "this took too long")])
        }
    }

    /// Says that a request was not executed.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers make the list for this"
    )]
    pub fn rejection(errors: Vec<ServerError>) -> Self {
        Self::new(&errors, None)
    }

    fn new(errors: &[ServerError], data: Option<&Value>) -> Self {
        let json = |value: &Body<'_>| {
            serde_json::to_vec(value).unwrap_or_else(|_| b"{\"data\":null}".to_vec())
        };
        let alone = || serde_json::to_vec(errors).unwrap_or_else(|_| b"[]".to_vec());
        Self {
            bytes: json(&Body { errors, data }).into(),
            is_rejection: data.is_none(),
            fault: None,
            errors: (!errors.is_empty()).then(|| alone().into()),
        }
    }
}
