//! A client that allocates nothing once it is there: a plain socket, and two buffers.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use parlor::chat::SignedIn;
use serde_json::{Value, json};

use crate::Outcome;

/// A socket that allocates nothing once it is open.
pub(crate) struct Socket {
    stream: TcpStream,
    /// What has arrived: a frame that was read already, and what follows it.
    arrived: Vec<u8>,
    filled: usize,
    read: usize,
    going_out: Vec<u8>,
}

impl Socket {
    pub(crate) fn open(address: SocketAddr, person: &SignedIn) -> Outcome<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let upgrade = "GET /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
            sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
            sec-websocket-protocol: graphql-transport-ws\r\n\r\n";
        stream.write_all(upgrade.as_bytes())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.extend(byte);
        }
        let mut socket = Self {
            stream,
            arrived: vec![0; 64 * 1024],
            filled: 0,
            read: 0,
            going_out: Vec::with_capacity(4 * 1024),
        };
        let payload = json!({"authorization": person.token.reveal()});
        socket.say(&json!({"type": "connection_init", "payload": payload}).to_string())?;
        socket.hear("connection_ack")?;
        Ok(socket)
    }

    pub(crate) fn subscribe(&mut self, query: &str, variables: &Value) -> Outcome<()> {
        self.say(&operation("listen", query, variables))?;
        self.say(r#"{"type":"ping"}"#)?;
        self.hear("pong")
    }

    pub(crate) fn say(&mut self, text: &str) -> Outcome<()> {
        self.going_out.clear();
        self.going_out.push(0x81);
        match u16::try_from(text.len())? {
            length @ 0..126 => self.going_out.push(0x80 | u8::try_from(length)?),
            length => {
                self.going_out.push(0x80 | 0x7e);
                self.going_out.extend(length.to_be_bytes());
            }
        }
        // A mask of zeros changes nothing.
        self.going_out.extend([0; 4]);
        self.going_out.extend(text.as_bytes());
        Ok(self.stream.write_all(&self.going_out)?)
    }

    /// Reads the next frame, which must hold this.
    pub(crate) fn hear(&mut self, what: &str) -> Outcome<()> {
        self.arrived.copy_within(self.read..self.filled, 0);
        self.filled -= self.read;
        self.read = 0;
        let (body, end) = loop {
            if let Some(place) = place(&self.arrived[..self.filled]) {
                break place;
            }
            let count = self.stream.read(&mut self.arrived[self.filled..])?;
            if count == 0 {
                return Err("the connection ended".into());
            }
            self.filled += count;
        };
        self.read = end;
        let frame = &self.arrived[body..end];
        if frame
            .windows(what.len())
            .any(|part| part == what.as_bytes())
        {
            return Ok(());
        }
        Err(format!("no {what} in {}", String::from_utf8_lossy(frame)).into())
    }
}

/// Where the body of the first frame begins and ends, if all of it is there.
fn place(bytes: &[u8]) -> Option<(usize, usize)> {
    let (body, length) = match bytes.get(1)? {
        126 => (
            4,
            usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        127 => (
            10,
            u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)
                .try_into()
                .ok()?,
        ),
        length => (2, usize::from(*length)),
    };
    (bytes.len() >= body + length).then_some((body, body + length))
}

pub(crate) fn operation(id: &str, query: &str, variables: &Value) -> String {
    let payload = json!({"query": query, "variables": variables});
    json!({"id": id, "type": "subscribe", "payload": payload}).to_string()
}
