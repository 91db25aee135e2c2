//! What people who stop reading cost those who read: `READERS` of each (1,000), in channels where somebody speaks all the
//! time. The server is a process of its own; those who stalled are shown out, come back and must have everything.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark owns its tasks, and is told by its environment how many to run"
)]

use std::{
    collections::BTreeMap,
    error::Error,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt, future::try_join_all};
use serde_json::{Value, json};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{interval, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;
type Socket = WebSocketStream<TcpStream>;

const CHANNELS: usize = 50;
const PER_USER: usize = 12;
/// Each channel hears so much at once, and so often.
const TEXT: usize = 9_000;
const EVERY: Duration = Duration::from_millis(500);

struct Server {
    child: Child,
    address: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    fn start() -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let url = format!(
            "sqlite://{}?mode=rwc",
            directory.path().join("chat.db").display()
        );
        let mut child = Command::new(env!("CARGO_BIN_EXE_parlor"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--rate-limits",
                "off",
                "--database-url",
                &url,
            ])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line
            .trim()
            .trim_start_matches("Parlor is ready at http://")
            .trim_end_matches("/graphql");
        let address = address.parse()?;
        Ok(Self {
            child,
            address,
            _directory: directory,
        })
    }

    /// Resident memory, in KiB.
    fn memory(&self) -> Outcome<i64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .ok_or("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
    }

    async fn run(&self, token: Option<&str>, query: &str, variables: Value) -> Outcome<Value> {
        let mut request = reqwest::Client::new()
            .post(format!("http://{}/graphql", self.address))
            .json(&json!({"query": query, "variables": variables}));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let mut answer: Value = request.send().await?.json().await?;
        if answer.get("errors").is_some() {
            return Err(answer.to_string().into());
        }
        Ok(answer["data"].take())
    }

    /// A socket that follows a channel; who stalls has a small buffer, as a phone in a tunnel has none.
    async fn follow(
        &self,
        token: &str,
        channel: &str,
        after: Option<i64>,
        is_to_stall: bool,
    ) -> Outcome<Socket> {
        let socket = TcpSocket::new_v4()?;
        if is_to_stall {
            socket.set_recv_buffer_size(8 * 1024)?;
        }
        let stream = socket.connect(self.address).await?;
        let mut request = format!("ws://{}/graphql", self.address).into_client_request()?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let (mut socket, _) = client_async(request, stream).await?;
        let say = |value: Value| Message::text(value.to_string());
        socket
            .send(say(
                json!({"type": "connection_init", "payload": {"authorization": token}}),
            ))
            .await?;
        let query =
            "subscription($c:ID!$a:Int){messageSent(conversationId:$c,afterSeq:$a){seq text}}";
        let payload = json!({"query": query, "variables": {"c": channel, "a": after}});
        socket.next().await.ok_or("no ack")??;
        socket
            .send(say(
                json!({"id": "1", "type": "subscribe", "payload": payload}),
            ))
            .await?;
        Ok(socket)
    }
}

/// Microseconds since the benchmark began, in a text that is long.
fn text(begun: Instant) -> String {
    format!("{:012}{}", begun.elapsed().as_micros(), "x".repeat(TEXT))
}

fn number(frame: &str, key: &str) -> Option<u64> {
    let rest = frame.split_once(key)?.1;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

struct Cast {
    tokens: Vec<String>,
    channels: Vec<String>,
}

async fn cast(server: &Server, readers: usize) -> Outcome<Cast> {
    let sign_up = "mutation($i:SignUpInput!){signUp(input:$i){token{value}}}";
    let mut tokens = Vec::new();
    for n in 0..(2 * readers).div_ceil(PER_USER) {
        let input = json!({"i": {"handle": format!("reader_{n}"), "displayName": "Reader", "password": "correct horse battery"}});
        let made = server.run(None, sign_up, input).await?;
        tokens.push(
            made["signUp"]["token"]["value"]
                .as_str()
                .ok_or("no token")?
                .to_owned(),
        );
    }
    let mut channels = Vec::new();
    for n in 0..CHANNELS {
        let create = "mutation($i:CreateConversationInput!){createConversation(input:$i){conversationEdge{node{id}}}}";
        let input = json!({"i": {"kind": "CHANNEL", "title": format!("Channel {n}")}});
        let made = server.run(Some(&tokens[0]), create, input).await?;
        let id = &made["createConversation"]["conversationEdge"]["node"]["id"];
        channels.push(id.as_str().ok_or("no id")?.to_owned());
    }
    Ok(Cast { tokens, channels })
}

/// One message a channel and so much time, spread over it; how many each has in the end.
async fn talk(server: &Server, cast: &Cast, begun: Instant, lasts: Duration) -> Outcome<()> {
    let send = "mutation($i:SendMessageInput!){sendMessage(input:$i){userErrors{code}}}";
    let channels = u32::try_from(cast.channels.len())?;
    let mut ticks = interval(EVERY / channels);
    let end = Instant::now() + lasts;
    for channel in cast.channels.iter().cycle() {
        if Instant::now() >= end {
            return Ok(());
        }
        ticks.tick().await;
        let input = json!({"i": {"conversationId": channel, "text": text(begun)}});
        server.run(Some(&cast.tokens[0]), send, input).await?;
    }
    Ok(())
}

fn quantile(sorted: &[u64], of: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list"
    )]
    let place = ((sorted.len() as f64 - 1.0) * of) as usize;
    #[expect(clippy::cast_precision_loss, reason = "microseconds")]
    let value = sorted.get(place).copied().unwrap_or_default() as f64;
    value / 1_000.0
}

/// The times from sending to hearing while somebody talks; the 99th percentile in milliseconds.
async fn measure(
    what: &str,
    server: &Server,
    cast: &Cast,
    begun: Instant,
    heard: &Mutex<Vec<u64>>,
    lasts: Duration,
) -> Outcome<f64> {
    heard.lock().map_err(|_| "poisoned")?.clear();
    talk(server, cast, begun, lasts).await?;
    let mut times = std::mem::take(&mut *heard.lock().map_err(|_| "poisoned")?);
    times.sort_unstable();
    let (median, high) = (quantile(&times, 0.5), quantile(&times, 0.99));
    println!(
        "{what:<44} {:>7} heard, median {median:.2} ms, p99 {high:.2} ms",
        times.len()
    );
    Ok(high)
}

/// Reads what is left for somebody who stalled; the numbers, and the code with which it ends.
async fn drain(mut socket: Socket, channel: &str) -> (String, Vec<u64>, Option<u16>) {
    let mut seqs = Vec::new();
    while let Ok(Some(Ok(message))) = timeout(Duration::from_secs(10), socket.next()).await {
        match message {
            Message::Text(frame) => seqs.extend(number(&frame, "\"seq\":")),
            Message::Close(frame) => {
                return (
                    channel.to_owned(),
                    seqs,
                    frame.map(|frame| frame.code.into()),
                );
            }
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
    (channel.to_owned(), seqs, None)
}

async fn run() -> Outcome<()> {
    let readers: usize = std::env::var("READERS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000);
    let server = Server::start()?;
    let cast = cast(&server, readers).await?;
    let begun = Instant::now();
    let heard: Arc<Mutex<Vec<u64>>> = Arc::default();
    let mut good = Vec::new();
    for n in 0..readers {
        let (token, channel) = (&cast.tokens[n / PER_USER], &cast.channels[n % CHANNELS]);
        let mut socket = server.follow(token, channel, None, false).await?;
        let heard = Arc::clone(&heard);
        good.push(tokio::spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                if let Message::Text(frame) = message
                    && let Some(sent) = number(&frame, "\"text\":\"")
                {
                    let now = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                    heard
                        .lock()
                        .expect("no panic")
                        .push(now.saturating_sub(sent));
                }
            }
        }));
    }
    let lasts = Duration::from_secs(20);
    let before = measure("good readers alone", &server, &cast, begun, &heard, lasts).await?;
    let memory = server.memory()?;
    let mut stalled = Vec::new();
    for n in 0..readers {
        let (token, channel) = (
            &cast.tokens[(readers + n) / PER_USER],
            &cast.channels[n % CHANNELS],
        );
        stalled.push((
            server.follow(token, channel, Some(0), true).await?,
            channel.clone(),
        ));
    }
    let beside = measure(
        "the same beside as many who do not read",
        &server,
        &cast,
        begun,
        &heard,
        lasts,
    )
    .await?;
    let held = server.memory()? - memory;
    let each = held / i64::try_from(readers)?;
    println!("each who does not read holds {each} KiB of the server's memory");
    // Twenty seconds after they stopped taking anything the server gives them up.
    sleep(Duration::from_secs(3)).await;
    let after = measure(
        "good readers alone again",
        &server,
        &cast,
        begun,
        &heard,
        lasts,
    )
    .await?;
    println!("p99 beside them: {:.2} x", beside / before.midpoint(after));
    come_back(&server, &cast, stalled).await?;
    good.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(())
}

/// Those who stalled read what is left, see that they were shown out, and come back for the rest.
async fn come_back(server: &Server, cast: &Cast, stalled: Vec<(Socket, String)>) -> Outcome<()> {
    let mut codes: BTreeMap<Option<u16>, usize> = BTreeMap::new();
    let drained = stalled
        .into_iter()
        .map(|(socket, channel)| tokio::spawn(async move { drain(socket, &channel).await }));
    let (mut gaps, mut repeats, mut total) = (0, 0, 0u64);
    for (n, (channel, mut seqs, code)) in try_join_all(drained).await?.into_iter().enumerate() {
        *codes.entry(code).or_default() += 1;
        let last = seqs.last().copied().unwrap_or_default();
        let newest = server
            .run(
                Some(&cast.tokens[0]),
                "query($c:ID!){conversation(id:$c){lastSeq}}",
                json!({"c": channel}),
            )
            .await?["conversation"]["lastSeq"]
            .as_u64()
            .ok_or("no number")?;
        let token = &cast.tokens[n % cast.tokens.len()];
        if last < newest {
            let mut socket = server
                .follow(token, &channel, Some(i64::try_from(last)?), false)
                .await?;
            while seqs.last() < Some(&newest) {
                let message = timeout(Duration::from_secs(20), socket.next())
                    .await?
                    .ok_or("cut off")??;
                if let Message::Text(frame) = message {
                    seqs.extend(number(&frame, "\"seq\":"));
                }
            }
        }
        total += seqs.len() as u64;
        for pair in seqs.windows(2) {
            gaps += u64::from(pair[1] > pair[0] + 1);
            repeats += u64::from(pair[1] <= pair[0]);
        }
        gaps += u64::from(seqs.first() != Some(&1));
    }
    println!("how they ended (none: cut off, 1006 to a client): {codes:?}");
    println!("after they came back: {total} messages, {gaps} gaps, {repeats} repeats");
    if gaps + repeats > 0 {
        return Err("somebody missed something".into());
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome<()> {
    run().await
}
