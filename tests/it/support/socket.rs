//! Somebody with a WebSocket.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::SOON;

/// Follows one conversation.
pub(crate) const FOLLOW: &str = "subscription($c:ID!$a:Int){messageSent(conversationId:$c,afterSeq:$a){id seq text sentAt sender{id displayName}}}";

/// An open socket.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_sent: String,
}

/// How a socket ended: the close code, if the server gave one.
pub(crate) type End = Option<u16>;

impl Socket {
    /// A socket on which nothing was said.
    pub(crate) async fn open(url: &str, protocol: Option<&str>) -> Self {
        Self::try_open(url, protocol).await.expect("a socket")
    }

    /// The same, when there may be no server.
    pub(crate) async fn try_open(url: &str, protocol: Option<&str>) -> Option<Self> {
        let mut request = url
            .replacen("http", "ws", 1)
            .into_client_request()
            .expect("a request");
        if let Some(protocol) = protocol {
            request.headers_mut().insert(
                "sec-websocket-protocol",
                protocol.parse().expect("a header"),
            );
        }
        let (stream, _) = connect_async(request).await.ok()?;
        Some(Self {
            stream,
            last_sent: String::new(),
        })
    }

    /// A socket whose `connection_init` was acknowledged.
    pub(crate) async fn signed_in(url: &str, token: Option<&str>) -> Self {
        let mut socket = Self::open(url, Some("graphql-transport-ws")).await;
        socket
            .init(json!({"authorization": token.map(|token| format!("Bearer {token}"))}))
            .await;
        assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
        socket
    }

    /// The same, when the server may be gone.
    pub(crate) async fn try_signed_in(url: &str, token: &str) -> Option<Self> {
        let mut socket = Self::try_open(url, Some("graphql-transport-ws")).await?;
        socket
            .try_say(&json!({"type": "connection_init", "payload": {"authorization": token}}))
            .await?;
        socket
            .try_hear()
            .await
            .ok()
            .filter(|ack| ack["type"] == "connection_ack")?;
        Some(socket)
    }

    /// Says who they are.
    pub(crate) async fn init(&mut self, payload: Value) {
        self.say(&json!({"type": "connection_init", "payload": payload}))
            .await;
    }

    /// Says something.
    pub(crate) async fn say(&mut self, message: &Value) {
        self.try_say(message).await.expect("said");
    }

    /// Says something, if anybody is there.
    pub(crate) async fn try_say(&mut self, message: &Value) -> Option<()> {
        self.stream
            .send(Message::text(message.to_string()))
            .await
            .ok()
    }

    /// Says something that need not be JSON.
    pub(crate) async fn say_raw(&mut self, message: Message) {
        self.stream.send(message).await.expect("said");
    }

    /// Begins an operation.
    pub(crate) async fn subscribe(&mut self, id: &str, document: &str, variables: Value) {
        self.say(&json!({"id": id, "type": "subscribe", "payload": {"query": document, "variables": variables}})).await;
    }

    /// Follows a conversation, and waits until the server has read that.
    pub(crate) async fn follow(&mut self, id: &str, conversation: &str, after_seq: Option<i64>) {
        self.subscribe(id, FOLLOW, json!({"c": conversation, "a": after_seq}))
            .await;
        self.say(&json!({"type": "ping"})).await;
        assert_eq!(self.hear().await, json!({"type": "pong"}));
    }

    /// What the server says next.
    pub(crate) async fn hear(&mut self) -> Value {
        self.try_hear()
            .await
            .unwrap_or_else(|end| panic!("the socket ended with {end:?}"))
    }

    /// What the server says next, or how the socket ended.
    pub(crate) async fn try_hear(&mut self) -> Result<Value, End> {
        loop {
            match timeout(SOON, self.stream.next())
                .await
                .expect("something should have been heard by now")
            {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).expect("json"));
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next message of a followed conversation.
    pub(crate) async fn message(&mut self) -> Value {
        let heard = self.hear().await;
        assert_eq!(heard["type"], "next", "{heard}");
        heard["payload"]["data"]["messageSent"].clone()
    }

    /// The next texts of a followed conversation.
    pub(crate) async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            texts.push(
                self.message().await["text"]
                    .as_str()
                    .expect("a text")
                    .to_owned(),
            );
        }
        texts
    }

    /// Waits for the end; the close code.
    pub(crate) async fn end(&mut self) -> End {
        loop {
            if let Err(end) = self.try_hear().await {
                return end;
            }
        }
    }

    /// Sends a message, without waiting for the answer.
    pub(crate) async fn send(
        &mut self,
        id: &str,
        conversation: &str,
        text: &str,
        key: &str,
    ) -> Option<()> {
        id.clone_into(&mut self.last_sent);
        let document = "mutation($i:SendMessageInput!){sendMessage(input:$i){messageEdge{node{seq}} userErrors{code}}}";
        let input = json!({"conversationId": conversation, "text": text, "idempotencyKey": key});
        let payload = json!({"query": document, "variables": {"i": input}});
        self.try_say(&json!({"id": id, "type": "subscribe", "payload": payload}))
            .await
    }

    /// Whether this was the last message sent here.
    pub(crate) fn said(&self, id: &str) -> bool {
        self.last_sent == id
    }

    /// What the server says next; a while of silence is an end too, so that a listener looks up from time to time.
    pub(crate) async fn try_hear_or_wait(&mut self) -> Result<Option<Value>, End> {
        match timeout(std::time::Duration::from_secs(2), self.try_hear()).await {
            Ok(heard) => heard.map(Some),
            Err(_) => Ok(None),
        }
    }
}
