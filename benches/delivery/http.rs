//! The least that asks over HTTP: one connection that is kept, and answers of a known length. What it costs is taken from
//! the same cores as the server's work, so it should cost little.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Outcome;

pub(crate) struct Http {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Http {
    pub(crate) async fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(32 * 1024),
        })
    }

    /// The body of an answer.
    pub(crate) async fn get(&mut self, path: &str) -> Outcome<&str> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.exchange(&request).await
    }

    /// The body of the answer to a GraphQL request.
    pub(crate) async fn post(&mut self, token: Option<&str>, body: &str) -> Outcome<&str> {
        let token = token.map_or_else(String::new, |token| {
            format!("authorization: Bearer {token}\r\n")
        });
        let length = body.len();
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\n{token}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.exchange(&request).await
    }

    async fn exchange(&mut self, request: &str) -> Outcome<&str> {
        self.stream.write_all(request.as_bytes()).await?;
        self.received.clear();
        let (mut body, mut end) = (0, None);
        while end.is_none_or(|end| self.received.len() < end) {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("the connection ended".into());
            }
            if end.is_none()
                && let Some(head) = self
                    .received
                    .windows(4)
                    .position(|four| four == b"\r\n\r\n")
            {
                body = head + 4;
                end = Some(body + length(std::str::from_utf8(&self.received[..head])?)?);
            }
        }
        Ok(std::str::from_utf8(&self.received[body..])?)
    }
}

/// How long the head of an answer says that its body is.
fn length(head: &str) -> Outcome<usize> {
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    Ok(line.ok_or("an answer of unknown length")?.trim().parse()?)
}
