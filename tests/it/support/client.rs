//! Somebody with an HTTP client, and the things that they say most.

use serde_json::{Value, json};

use super::{PASSWORD, Socket};

/// A person, or nobody yet.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    /// The endpoint.
    pub(crate) url: String,
    /// Their token.
    pub(crate) token: Option<String>,
    /// Their identifier; empty while they are nobody.
    pub(crate) id: String,
}

/// Signs somebody up at a server.
pub(crate) async fn sign_up(url: &str, handle: &str) -> Client {
    let mut client = Client::new(url, None);
    let input = json!({"handle": handle, "displayName": format!("{handle} of the tests"), "password": PASSWORD});
    let reply = client
        .mutate("signUp", "token{value} viewer{user{id}}", input)
        .await;
    client.token = Some(reply.text("/token/value"));
    client.id = reply.text("/viewer/user/id");
    client
}

impl Client {
    /// Somebody with this token, or with none.
    pub(crate) fn new(url: &str, token: Option<&str>) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            token: token.map(str::to_owned),
            id: String::new(),
        }
    }

    /// The same person, at a server that listens elsewhere.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..self.clone()
        }
    }

    /// The bare response to a document.
    pub(crate) async fn post(&self, document: &str, variables: Value) -> reqwest::Response {
        let mut request = self
            .http
            .post(&self.url)
            .json(&json!({"query": document, "variables": variables}));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        request.send().await.expect("an answer")
    }

    /// The response to a document.
    pub(crate) async fn run(&self, document: &str, variables: Value) -> Reply {
        Reply(
            self.post(document, variables)
                .await
                .json()
                .await
                .expect("json"),
        )
    }

    /// The data of a query.
    pub(crate) async fn query(&self, document: &str, variables: Value) -> Reply {
        let reply = self.run(document, variables).await;
        assert!(reply.0.get("errors").is_none(), "{reply:?}");
        Reply(reply.0["data"].clone())
    }

    /// The payload of a mutation.
    pub(crate) async fn mutate(&self, field: &str, selection: &str, input: Value) -> Reply {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let document = format!(
            "mutation($input:{input_type}!){{{field}(input:$input){{{selection} userErrors{{code inputPath message}}}}}}"
        );
        let reply = self.query(&document, json!({ "input": input })).await;
        Reply(reply.0[field].clone())
    }

    /// Opens a socket and says who they are.
    pub(crate) async fn socket(&self) -> Socket {
        Socket::signed_in(&self.url, self.token.as_deref()).await
    }

    /// Asks somebody, who asks back: the two are friends.
    pub(crate) async fn befriend(&self, other: &Client) {
        for (one, two) in [(self, other), (other, self)] {
            let input = json!({"userId": two.id});
            let asked = one
                .mutate("sendFriendRequest", "friendRequest{id}", input)
                .await;
            assert_eq!(asked.refusals(), []);
        }
    }

    /// Makes a channel.
    pub(crate) async fn channel(&self, title: &str) -> String {
        let input = json!({"title": title, "kind": "CHANNEL"});
        self.mutate("createConversation", "conversationEdge{node{id}}", input)
            .await
            .text("/conversationEdge/node/id")
    }

    /// Joins a channel.
    pub(crate) async fn join(&self, channel: &str) -> Reply {
        let input = json!({"conversationId": channel});
        self.mutate("joinChannel", "membership{id role readSeq}", input)
            .await
    }

    /// The direct conversation with a friend.
    pub(crate) async fn direct(&self, friend: &Client) -> String {
        self.open_direct(friend).await.text("/conversation/id")
    }

    /// Opens the direct conversation with somebody, if that is allowed.
    pub(crate) async fn open_direct(&self, whom: &Client) -> Reply {
        let selection = "wasCreated conversation{id kind title memberCount peer{id}}";
        self.mutate(
            "openDirectConversation",
            selection,
            json!({"userId": whom.id}),
        )
        .await
    }

    /// Makes a group with these people, who become friends if they are not.
    pub(crate) async fn group(&self, title: &str, people: &[&Client]) -> String {
        for person in people.iter().filter(|person| person.id != self.id) {
            self.befriend(person).await;
        }
        let ids: Vec<_> = people.iter().map(|person| &person.id).collect();
        let input = json!({"title": title, "memberIds": ids});
        self.mutate("createConversation", "conversationEdge{node{id}}", input)
            .await
            .text("/conversationEdge/node/id")
    }

    /// Says something; the message's number.
    pub(crate) async fn say(&self, conversation: &str, text: &str) -> i64 {
        let reply = self.send(conversation, text, None).await;
        reply.number("/messageEdge/node/seq")
    }

    /// Says something, perhaps with a key.
    pub(crate) async fn send(&self, conversation: &str, text: &str, key: Option<&str>) -> Reply {
        let input = json!({"conversationId": conversation, "text": text, "idempotencyKey": key});
        self.mutate(
            "sendMessage",
            "wasDuplicate messageEdge{cursor node{id seq text sentAt}}",
            input,
        )
        .await
    }

    /// All texts of a conversation, in order.
    pub(crate) async fn texts(&self, conversation: &str) -> Vec<String> {
        self.history(conversation)
            .await
            .iter()
            .map(|message| message["text"].as_str().expect("text").to_owned())
            .collect()
    }

    /// All messages of a conversation, in order, page by page.
    pub(crate) async fn history(&self, conversation: &str) -> Vec<Value> {
        let document = "query($c:ID!$a:String){conversation(id:$c){messages(first:100,after:$a){
            pageInfo{hasNextPage endCursor} edges{node{id seq text sentAt idempotencyKey sender{id}}}}}}";
        let (mut messages, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = self
                .query(document, json!({"c": conversation, "a": after}))
                .await;
            let page = page.at("/conversation/messages").clone();
            let edges = page["edges"].as_array().expect("edges");
            messages.extend(edges.iter().map(|edge| edge["node"].clone()));
            if page["pageInfo"]["hasNextPage"] != true {
                return messages;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

/// Some JSON, with ways to look into it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply(pub(crate) Value);

impl Reply {
    /// What lies there.
    #[track_caller]
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.0
            .pointer(pointer)
            .unwrap_or_else(|| panic!("nothing at {pointer} in {self:?}"))
    }

    /// The text there.
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> String {
        self.at(pointer)
            .as_str()
            .unwrap_or_else(|| panic!("no text at {pointer} in {self:?}"))
            .to_owned()
    }

    /// The number there.
    #[track_caller]
    pub(crate) fn number(&self, pointer: &str) -> i64 {
        self.at(pointer)
            .as_i64()
            .unwrap_or_else(|| panic!("no number at {pointer} in {self:?}"))
    }

    /// Why a mutation was refused: reasons and the paths of the values at fault.
    pub(crate) fn refusals(&self) -> Vec<(String, String)> {
        let errors = self.at("/userErrors").as_array().expect("a list");
        let path = |error: &Value| match &error["inputPath"] {
            Value::Array(parts) => parts
                .iter()
                .map(|part| part.as_str().expect("text"))
                .collect::<Vec<_>>()
                .join("."),
            Value::Null => String::new(),
            other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                panic!("a path is a list: {other}")
            }
        };
        errors
            .iter()
            .map(|error| {
                (
                    error["code"].as_str().expect("a code").to_owned(),
                    path(error),
                )
            })
            .collect()
    }

    /// Asserts that a mutation was refused for one reason, on account of one value.
    #[track_caller]
    pub(crate) fn is_refused(&self, code: &str, path: &str) {
        assert_eq!(
            self.refusals(),
            [(code.to_owned(), path.to_owned())],
            "{self:?}"
        );
    }

    /// The codes of a response's errors.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let errors = self
            .0
            .get("errors")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        errors
            .iter()
            .map(|error| error["extensions"]["code"].as_str().unwrap_or("none"))
            .collect()
    }
}
