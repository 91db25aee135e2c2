//! An open subscription: what its feed hears, made into responses.

use std::sync::Arc;

use async_graphql::{SchemaEnv, Value};
use bytes::Bytes;
use tokio::time::timeout;
use tokio_stream::StreamExt;

use super::{
    api::{Answer, Api, Operation},
    context::Asker,
    delivered::Made,
    error,
    render::{Told, Unheard},
    telling,
};
use crate::{
    chat,
    live::{Feed, Heard},
    model::News,
};

/// An open stream of responses.
pub struct Subscription {
    pub(super) api: Arc<Api>,
    pub(super) operation: Operation,
    pub(super) asker: Asker,
    pub(super) schema: SchemaEnv,
    pub(super) feed: Feed,
    /// What was told last.
    pub(super) told: Option<Heard>,
    pub(super) request_id: String,
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
            Some(bytes) => {
                self.api.delivered.count(Made::Shared);
                Some(Ok(bytes))
            }
            // In a box: see the stream that this is part of.
            None => Box::pin(self.make(&heard)).await,
        };
        self.told = Some(heard);
        told
    }

    /// What another listener made of a piece of news.
    fn shared(&self, heard: &Heard) -> Option<Bytes> {
        let (rendered, form) = heard.common().zip(self.operation.rendering)?;
        rendered.find(form)
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
        let told = timeout(within, self.tell(heard, is_again, unheard)).await;
        let (bytes, is_for_all) = told.map_err(|_| Answer::timeout())??;
        let made = match heard.common().zip(self.operation.rendering) {
            Some((rendered, form)) if is_for_all => {
                rendered.keep(form, bytes.clone());
                Made::ForAll
            }
            Some(_) | None => Made::ForViewer,
        };
        self.api.delivered.count(made);
        Ok(bytes)
    }

    /// A response, and whether it has no errors and nobody was looked at for it.
    async fn tell(
        &self,
        heard: &Heard,
        is_again: bool,
        unheard: &Unheard,
    ) -> Result<(Bytes, bool), Answer> {
        let told = || Told {
            heard: heard.clone(),
            is_again,
            unheard: unheard.clone(),
        };
        let Operation {
            plan, variables, ..
        } = &self.operation;
        let asker = Arc::new(self.asker.again());
        let quick = telling::tell(&self.schema, plan, variables, Arc::clone(&asker), told());
        if let Some(bytes) = quick.await {
            return Ok((bytes, !asker.was_looked_at()));
        }
        let asker = Arc::new(self.asker.again());
        let request = self.operation.request();
        let request = request.data(Arc::clone(&asker)).data(told());
        let response = self.api.exact.execute_stream(request).next().await;
        let response = response.unwrap_or_default();
        let is_for_all = response.is_ok() && !asker.was_looked_at();
        let is_lost = response.is_err() && is_null(&response.data);
        let answer = Answer::of(response, &asker, self.api.chat.limits(), &self.request_id);
        if is_lost {
            return Err(answer);
        }
        Ok((answer.bytes, is_for_all))
    }
}

/// Whether a subscription's response has nothing in its one field.
fn is_null(data: &Value) -> bool {
    if let Value::Object(fields) = data {
        return fields.values().all(|value| *value == Value::Null);
    }
    *data == Value::Null
}
