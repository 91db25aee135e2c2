//! Somebody who listens over HTTP: a stream of events, or of parts.

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Client, SOON};

/// An open response that is read as it comes.
pub(crate) struct Listening {
    response: reqwest::Response,
    unread: String,
}

/// One event.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    /// `next` or `complete`; `alive` for a comment.
    pub(crate) kind: String,
    /// What `Last-Event-ID` is to be.
    pub(crate) id: Option<String>,
    /// The data; null when there is none.
    pub(crate) data: Value,
}

impl Listening {
    /// What a client gets for a request.
    pub(crate) async fn try_open(
        who: &Client,
        headers: &[(&str, &str)],
        document: &str,
        variables: Value,
    ) -> Result<Self, reqwest::Response> {
        let body = json!({"query": document, "variables": variables});
        let mut request = reqwest::Client::new().post(&who.url).json(&body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::begin(who, request).await
    }

    /// The same, for a request of any kind.
    pub(crate) async fn begin(
        who: &Client,
        mut request: reqwest::RequestBuilder,
    ) -> Result<Self, reqwest::Response> {
        if let Some(token) = &who.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.expect("an answer");
        if response.status() != 200 {
            return Err(response);
        }
        Ok(Self {
            response,
            unread: String::new(),
        })
    }

    /// A stream of events.
    pub(crate) async fn events(who: &Client, document: &str, variables: Value) -> Self {
        let accept = [("accept", "text/event-stream")];
        let open = Self::try_open(who, &accept, document, variables).await;
        let mut open = open.expect("a stream");
        assert_eq!(open.event().await.kind, "alive");
        open
    }

    /// The same, of somebody who comes back behind an event.
    pub(crate) async fn events_after(
        who: &Client,
        id: &str,
        document: &str,
        variables: Value,
    ) -> Self {
        let headers = [("accept", "text/event-stream"), ("last-event-id", id)];
        let open = Self::try_open(who, &headers, document, variables).await;
        let mut open = open.expect("a stream");
        assert_eq!(open.event().await.kind, "alive");
        open
    }

    /// What comes up to some mark; nothing when the response is over.
    async fn until(&mut self, mark: &str) -> Option<String> {
        loop {
            if let Some((text, rest)) = self.unread.split_once(mark) {
                let (text, rest) = (text.to_owned(), rest.to_owned());
                self.unread = rest;
                return Some(text);
            }
            let chunk = timeout(SOON, self.response.chunk())
                .await
                .expect("something should have come by now");
            let chunk = chunk.ok().flatten()?;
            self.unread += std::str::from_utf8(&chunk).expect("text");
        }
    }

    /// The next event, comments too; nothing when the stream is over.
    pub(crate) async fn try_event(&mut self) -> Option<Event> {
        let text = self.until("\n\n").await?;
        let mut event = Event {
            kind: "alive".to_owned(),
            id: None,
            data: Value::Null,
        };
        for line in text.lines() {
            let (field, value) = line.split_once(':').expect("a field");
            let value = value.trim_start();
            match field {
                "event" => value.clone_into(&mut event.kind),
                "id" => event.id = Some(value.to_owned()),
                "data" if value.is_empty() => {}
                "data" => event.data = serde_json::from_str(value).expect("json"),
                "" => {}
                other => panic!("no such field: {other}"),
            }
        }
        Some(event)
    }

    /// The next event, comments too.
    pub(crate) async fn event(&mut self) -> Event {
        self.try_event().await.expect("an event")
    }

    /// The next event that says something.
    pub(crate) async fn told(&mut self) -> Event {
        loop {
            let event = self.event().await;
            if event.kind != "alive" {
                return event;
            }
        }
    }

    /// The next part, behind the preamble; nothing when the parts are over.
    pub(crate) async fn part(&mut self) -> Option<Value> {
        loop {
            let text = self.until("\r\n--graphql").await?;
            if text.is_empty() {
                continue;
            }
            let (headers, body) = text.split_once("\r\n\r\n").expect("headers and a body");
            assert_eq!(headers, "\r\ncontent-type: application/json");
            return Some(serde_json::from_str(body).expect("json"));
        }
    }

    /// What follows the last boundary.
    pub(crate) async fn end(&mut self) -> String {
        while let Ok(Ok(Some(chunk))) = timeout(SOON, self.response.chunk()).await {
            self.unread += std::str::from_utf8(&chunk).expect("text");
        }
        std::mem::take(&mut self.unread)
    }
}
