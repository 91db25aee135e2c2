//! The door of this room: a request comes in as data, bytes go out.

use std::sync::Arc;

use async_graphql::{
    Request, Response, ServerError, Value, Variables, parser::types::OperationType,
};
use bytes::Bytes;
use prometheus_client::registry::Registry;
use tokio::time::timeout;
use tokio_stream::StreamExt;

use super::{
    context::Asker,
    delivered::Delivered,
    document::{self, Documents},
    error::{self, Code, failure},
    guard,
    json::response,
    persisted::Persisted,
    plain::Verbatim,
    plan::Plan,
    prepared::{Outcome, Prepared},
    render::{Opened, Opening},
    schema::{self, Schema},
    subscription::Subscription,
    validator,
};
use crate::{chat::Chat, live::Rendering, model::Limits};

/// The mutation that is executed as it was prepared.
const SENDING: &str = "sendMessage";

/// The API over a chat.
pub struct Api {
    pub(super) chat: Arc<Chat>,
    /// What has no errors is executed by this one alone.
    quick: Schema,
    /// Puts errors right, which costs something at every field: it executes mutations and subscriptions, and anew what
    /// failed.
    pub(super) exact: Schema,
    /// Executes queries, and sends, without any check once the others have let them pass; none if the library does not let us.
    prepared: Option<Prepared>,
    documents: Documents,
    persisted: Persisted,
    pub(super) delivered: Delivered,
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
    pub(super) plan: Arc<Plan>,
    pub(super) variables: Variables,
    /// Of a subscription, the name of what it makes of news.
    pub(super) rendering: Option<Rendering>,
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
        let exact = schema::exact(Arc::clone(&chat));
        Self {
            quick: schema::quick(Arc::clone(&chat)),
            prepared: Prepared::of(&exact),
            exact,
            chat,
            documents: Documents::new(),
            persisted: Persisted::new(),
            delivered: Delivered::new(),
        }
    }

    /// The chat behind it.
    pub fn chat(&self) -> &Arc<Chat> {
        &self.chat
    }

    /// Adds what is counted here.
    pub fn register(&self, registry: &mut Registry) {
        self.delivered.register(registry);
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
            return self.change(&operation, asker, request_id).await;
        }
        let within = self.chat.limits().query_within;
        let answer = async {
            let again = asker.again();
            if let Some(answer) = self.read(&operation, asker).await {
                return answer;
            }
            let request = operation.request();
            self.execute_exactly(request, &Arc::new(again), request_id)
                .await
        };
        timeout(within, answer)
            .await
            .unwrap_or_else(|_| Answer::timeout())
    }

    /// A query's response, if there are no errors in it.
    async fn read(&self, operation: &Operation, asker: Asker) -> Option<Answer> {
        let Operation {
            plan, variables, ..
        } = operation;
        if let Some(prepared) = self.prepared.as_ref().filter(|_| plan.is_checked()) {
            let data = prepared.read(plan, variables, asker).await?;
            return Some(Answer::new(&[], Some(&data)));
        }
        let mut request = operation.request().data(Arc::new(asker));
        if plan.is_single {
            request = request.data(Verbatim);
        }
        let response = self.quick.execute(request).await;
        if response.is_err() {
            return None;
        }
        plan.pass();
        Some(Answer::new(&[], Some(&response.data)))
    }

    /// A mutation's response. Sending a message is what people wait for, so that goes the short way.
    async fn change(&self, operation: &Operation, asker: Asker, request_id: &str) -> Answer {
        let Operation {
            plan, variables, ..
        } = operation;
        let asker = Arc::new(asker);
        if let Some(prepared) = self.prepared.as_ref()
            && plan.is_checked()
            && plan.is_only(SENDING)
        {
            let outcome = Outcome::default();
            let told = prepared.send(plan, variables, &asker, &outcome).await;
            if let Some(data) = told {
                return Answer::new(&[], Some(&data));
            }
            let request = operation.request().data(outcome);
            let again = Arc::new(asker.again());
            return self.execute_exactly(request, &again, request_id).await;
        }
        let request = operation.request();
        let answer = self.execute_exactly(request, &asker, request_id).await;
        let max = schema::cost_at_first_max(self.chat.limits());
        if asker.cost().is_some_and(|cost| cost <= max) {
            plan.pass();
        }
        answer
    }

    async fn execute_exactly(
        &self,
        request: Request,
        asker: &Arc<Asker>,
        request_id: &str,
    ) -> Answer {
        let response = self.exact.execute(request.data(Arc::clone(asker))).await;
        Answer::of(response, asker, self.chat.limits(), request_id)
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
    pub(super) fn request(&self) -> Request {
        let mut request = Request::new(String::new()).variables(self.variables.clone());
        request.set_parsed_query(self.plan.document());
        request
    }
}

impl Answer {
    pub(super) fn of(
        mut response: Response,
        asker: &Asker,
        limits: &Limits,
        request_id: &str,
    ) -> Self {
        guard::say_which_limit(&mut response.errors, limits);
        error::finish(&mut response.errors, request_id);
        let has_begun = response.errors.is_empty() || asker.schema().is_some();
        Self::new(&response.errors, has_begun.then_some(&response.data))
    }

    pub(super) fn timeout() -> Self {
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
        let alone = || serde_json::to_vec(errors).unwrap_or_else(|_| b"[]".to_vec());
        Self {
            bytes: response(errors, data),
            is_rejection: data.is_none(),
            fault: None,
            errors: (!errors.is_empty()).then(|| alone().into()),
        }
    }
}
