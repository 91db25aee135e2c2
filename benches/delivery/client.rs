//! Somebody with a socket, at either server: what they say, and what they hear of it.

use std::{sync::LazyLock, time::Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, Utf8Bytes, client::IntoClientRequest, protocol::WebSocketConfig},
};

use crate::{Outcome, process::Side, site::Site};

const SEND: &str = "mutation($i:SendMessageInput!){sendMessage(input:$i){messageEdge{node{id seq}} userErrors{code message}}}";
const MESSAGES: &str = "subscription($c:ID!){messageSent(conversationId:$c){id seq text sentAt sender{id displayName}}}";
const UNREAD: &str = "subscription($c:ID!){messageSent(conversationId:$c){id seq text sentAt sender{id displayName} conversation{viewerUnreadCount}}}";
const EVENTS: &str = "subscription($a:String){events(after:$a){cursor isCaughtUp events{__typename id ...on MessageSentEvent{messageEdge{node{id seq text sentAt sender{id displayName}}}}}}}";

/// Length of each text.
const TEXT: usize = 100;

/// What begins the part of a text that says whose it is; it is in nothing else that a server sends.
const MARK: char = '~';

/// What somebody listens to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Listening<'a> {
    Nothing,
    /// The messages of their conversation.
    Messages,
    /// The same with something that is another for each listener.
    Unread,
    /// Everything that happens to them, from now or behind a cursor on.
    Events(Option<&'a str>),
}

/// What a text says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) sender: u32,
    /// Each sender counts their messages from 0.
    pub(crate) number: u32,
    /// When it was sent, as `now` says it.
    pub(crate) sent: u64,
}

pub(crate) enum Heard {
    /// What was sent is kept.
    Acknowledged,
    /// Something to read marks from.
    Told(Utf8Bytes),
    Nothing,
}

/// Nanoseconds on the clock that all clients share.
pub(crate) fn now() -> u64 {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGAN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The marks of all texts in a frame or a page.
pub(crate) fn marks(frame: &str) -> impl Iterator<Item = Mark> {
    frame.split(MARK).skip(1).filter_map(|rest| {
        Some(Mark {
            sender: rest.get(..5)?.parse().ok()?,
            number: rest.get(5..13)?.parse().ok()?,
            sent: rest.get(13..28)?.parse().ok()?,
        })
    })
}

pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    side: Side,
    person: usize,
    room: String,
    sent: u32,
}

impl Client {
    /// A socket that listens already.
    pub(crate) async fn open(
        site: &Site,
        person: usize,
        room: usize,
        listening: Listening<'_>,
    ) -> Outcome<Self> {
        let mut client = Self::connect(site, person, room, listening).await?;
        if client.side == Side::Parlor {
            client.subscribe(listening).await?;
            // Frames are read in order: when this is answered the subscription stands.
            client.say(r#"{"type":"ping"}"#.to_owned()).await?;
            while !client.frame().await?.contains(r#""type":"pong""#) {}
        }
        Ok(client)
    }

    /// A socket on which somebody has said who they are.
    pub(crate) async fn connect(
        site: &Site,
        person: usize,
        room: usize,
        listening: Listening<'_>,
    ) -> Outcome<Self> {
        let address = site.process.address;
        let room = site.rooms[room].clone();
        let url = match site.side {
            Side::Floor => {
                let listens = !matches!(listening, Listening::Nothing);
                format!("ws://{address}/socket?room={room}&listens={listens}&person={person}")
            }
            Side::Parlor => format!("ws://{address}/graphql"),
        };
        let mut request = url.into_client_request()?;
        if site.side == Side::Parlor {
            let name = "graphql-transport-ws".parse()?;
            request.headers_mut().insert("sec-websocket-protocol", name);
        }
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        // Ten thousand of these are held by one process.
        let config = WebSocketConfig::default()
            .read_buffer_size(4 * 1024)
            .write_buffer_size(0);
        let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
        let mut client = Self {
            socket,
            side: site.side,
            person,
            room,
            sent: 0,
        };
        if site.side == Side::Parlor {
            let payload = json!({"authorization": site.people[person]});
            let init = json!({"type": "connection_init", "payload": payload});
            client.say(init.to_string()).await?;
            let ack = client.frame().await?;
            if !ack.contains("connection_ack") {
                return Err(format!("not let in: {ack}").into());
            }
        }
        Ok(client)
    }

    /// Begins to listen, at Parlor.
    pub(crate) async fn subscribe(&mut self, listening: Listening<'_>) -> Outcome<()> {
        let conversation = json!({"c": self.room});
        let (query, variables) = match listening {
            Listening::Nothing => return Ok(()),
            Listening::Messages => (MESSAGES, conversation),
            Listening::Unread => (UNREAD, conversation),
            Listening::Events(after) => (EVENTS, json!({"a": after})),
        };
        let payload = json!({"query": query, "variables": variables});
        let subscribe = json!({"id": "listen", "type": "subscribe", "payload": payload});
        self.say(subscribe.to_string()).await
    }

    async fn say(&mut self, frame: String) -> Outcome<()> {
        Ok(self.socket.send(Message::text(frame)).await?)
    }

    /// The next thing that the server says; nothing is lost when nobody waits for it any longer.
    pub(crate) async fn frame(&mut self) -> Outcome<Utf8Bytes> {
        loop {
            match self.socket.next().await.ok_or("the socket ended")?? {
                Message::Text(text) => return Ok(text),
                Message::Close(frame) => return Err(format!("shown out: {frame:?}").into()),
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Sends the next message, without waiting for anything.
    pub(crate) async fn send(&mut self) -> Outcome<()> {
        let number = self.sent;
        self.sent += 1;
        let mark = format!("{MARK}{:05}{number:08}{:015}", self.person, now());
        let text = format!("{mark:x<TEXT$}");
        let frame = match self.side {
            Side::Floor => text,
            // The mark is new for each message, and so the key that a client gives it.
            Side::Parlor => format!(
                r#"{{"id":"send{number}","type":"subscribe","payload":{{"query":"{SEND}","variables":{{"i":{{"conversationId":"{}","text":"{text}","idempotencyKey":"{mark}"}}}}}}}}"#,
                self.room
            ),
        };
        self.say(frame).await
    }

    /// How many were sent.
    pub(crate) fn sent(&self) -> u32 {
        self.sent
    }

    /// What is heard next.
    pub(crate) async fn hear(&mut self) -> Outcome<Heard> {
        let frame = self.frame().await?;
        let is_own = match self.side {
            Side::Floor => {
                return Ok(if frame.starts_with("kept") {
                    Heard::Acknowledged
                } else {
                    Heard::Told(frame)
                });
            }
            Side::Parlor => frame.starts_with(r#"{"id":"send"#),
        };
        if !is_own {
            return Ok(Heard::Told(frame));
        }
        if frame.ends_with(r#""type":"complete"}"#) {
            return Ok(Heard::Nothing);
        }
        if !frame.contains(r#""userErrors":[]"#) {
            return Err(format!("refused: {frame}").into());
        }
        Ok(Heard::Acknowledged)
    }

    /// Waits until what was sent is kept.
    pub(crate) async fn is_kept(&mut self) -> Outcome<()> {
        while !matches!(self.hear().await?, Heard::Acknowledged) {}
        Ok(())
    }
}
