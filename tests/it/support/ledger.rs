//! A ledger: people who send and listen at once over real sockets, lose their connections, try again, and write down
//! all they were told. Afterwards their books must agree with what is stored.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Client, Socket, socket::FOLLOW};

/// Listens to everything.
const EVENTS: &str =
    "subscription($after:String){events(after:$after){cursor resync events{__typename id
    ...on MessageSentEvent{messageEdge{node{seq text}}}}}}";

/// A message that its sender was told of.
#[derive(Debug, Clone)]
struct Acknowledged {
    seq: i64,
    text: String,
    sent: Instant,
    answered: Instant,
}

/// What one member wrote down.
#[derive(Default)]
struct Book {
    acknowledged: HashMap<String, Acknowledged>,
    /// Numbers and texts, as they were heard.
    heard: Vec<(i64, String)>,
    /// The same, as the stream of events told them.
    told: Vec<(i64, String)>,
    /// Events by their identifiers.
    events: HashSet<String>,
    /// Where the stream of events goes on.
    cursor: String,
    retries: usize,
    cuts: usize,
}

/// One member of one conversation.
pub(crate) struct Member {
    client: Client,
    conversation: String,
    name: String,
    book: Mutex<Book>,
}

/// Where the server is now; nowhere while it is down.
pub(crate) type Whereabouts = watch::Receiver<Option<String>>;

/// What all the books said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Messages that somebody was told are stored.
    pub(crate) acknowledged: usize,
    /// Messages that are stored.
    pub(crate) stored: usize,
    /// Messages that somebody heard.
    pub(crate) heard: usize,
    /// Events that somebody was told.
    pub(crate) events: usize,
    /// Sends that were tried again.
    pub(crate) retries: usize,
    /// Connections that broke.
    pub(crate) cuts: usize,
}

/// Conversations of four members each, and everybody's book.
pub(crate) struct Ledger {
    members: Vec<Arc<Member>>,
    stop: Arc<AtomicBool>,
    sending: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Ledger {
    /// Signs people up at a server and puts them into conversations.
    pub(crate) async fn prepare(url: &str, people: usize, conversations: usize) -> Self {
        let mut members = Vec::new();
        for conversation in 0..conversations {
            let handles = (0..people / conversations).map(|n| format!("p{conversation}_{n}"));
            let signing_up =
                handles.map(|handle| async move { super::client::sign_up(url, &handle).await });
            let clients = futures_util::future::join_all(signing_up).await;
            let others: Vec<_> = clients[1..].iter().collect();
            let group = clients[0]
                .group(&format!("group {conversation}"), &others)
                .await;
            for (n, client) in clients.into_iter().enumerate() {
                let name = format!("c{conversation}-m{n}");
                let book = Book {
                    cursor: client.event_cursor().await,
                    ..Book::default()
                };
                members.push(Arc::new(Member {
                    client,
                    conversation: group.clone(),
                    name,
                    book: Mutex::new(book),
                }));
            }
        }
        let (stop, sending) = (Arc::default(), Arc::default());
        Self {
            members,
            stop,
            sending,
            tasks: Vec::new(),
        }
    }

    /// Lets everybody send and listen. `cut` is how likely a connection is cut before an answer, and after it.
    pub(crate) fn begin(&mut self, whereabouts: &Whereabouts, cut: f64) {
        for (n, member) in self.members.iter().enumerate() {
            self.sending.fetch_add(1, Ordering::SeqCst);
            let life = Life {
                member: Arc::clone(member),
                whereabouts: whereabouts.clone(),
                stop: Arc::clone(&self.stop),
                sending: Arc::clone(&self.sending),
                random: StdRng::seed_from_u64(n as u64),
                cut,
                n: 0,
                outstanding: None,
                is_sending: true,
            };
            self.tasks.push(tokio::spawn(life.live()));
        }
    }

    /// How many messages were acknowledged so far.
    pub(crate) fn acknowledged(&self) -> usize {
        self.members
            .iter()
            .map(|member| member.book.lock().expect("a lock").acknowledged.len())
            .sum()
    }

    /// Stops the sending, lets everybody hear the rest, and compares the books with what is stored.
    pub(crate) async fn settle(self, url: &str) -> Totals {
        self.stop.store(true, Ordering::SeqCst);
        super::until(|| async { (self.sending.load(Ordering::SeqCst) == 0).then_some(()) }).await;
        let mut totals = Totals::default();
        let mut conversations: HashMap<&str, Vec<&Arc<Member>>> = HashMap::new();
        for member in &self.members {
            conversations
                .entry(&member.conversation)
                .or_default()
                .push(member);
        }
        for (conversation, members) in conversations {
            let reader = members[0].client.at(url);
            let stored = reader.history(conversation).await;
            for member in &members {
                super::until(|| async {
                    let book = member.book.lock().expect("a lock");
                    (book.heard.len().min(book.told.len()) >= stored.len()).then_some(())
                })
                .await;
            }
            check(&stored, &members, &mut totals);
        }
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        totals
    }
}

/// Acknowledged means stored once, as acknowledged; numbers without a gap, times that never go back; everybody heard
/// exactly what is stored, in its order; and the order is that of real time.
fn check(stored: &[Value], members: &[&Arc<Member>], totals: &mut Totals) {
    let field = |message: &Value, name: &str| message[name].as_str().expect("a text").to_owned();
    let mut by_key = HashMap::new();
    let mut last_time = String::new();
    for (index, message) in stored.iter().enumerate() {
        assert_eq!(message["seq"], index as i64 + 1, "numbers have no gap");
        let time = field(message, "sentAt");
        assert!(last_time <= time, "times never go back");
        last_time = time;
        let key = field(message, "idempotencyKey");
        assert!(
            by_key.insert(key.clone(), message).is_none(),
            "{key} is stored twice"
        );
    }
    let mut sends = Vec::new();
    for member in members {
        let book = member.book.lock().expect("a lock");
        for (key, acknowledged) in &book.acknowledged {
            let message = by_key
                .get(key)
                .unwrap_or_else(|| panic!("{key} was acknowledged and is lost"));
            assert_eq!(
                message["seq"], acknowledged.seq,
                "{key} has another number than was acknowledged"
            );
            assert_eq!(
                message["text"], *acknowledged.text,
                "{key} has another text"
            );
            sends.push(acknowledged.clone());
        }
        let heard: Vec<_> = book
            .heard
            .iter()
            .map(|(seq, text)| (*seq, text.as_str()))
            .collect();
        let told: Vec<_> = stored
            .iter()
            .map(|message| {
                (
                    message["seq"].as_i64().expect("a number"),
                    message["text"].as_str().expect("a text"),
                )
            })
            .collect();
        assert_eq!(
            heard, told,
            "{} heard something else than is stored",
            member.name
        );
        assert_eq!(
            book.heard, book.told,
            "{} was told something else by the stream of events",
            member.name
        );
        totals.events += book.events.len();
        totals.acknowledged += book.acknowledged.len();
        totals.heard += heard.len();
        totals.retries += book.retries;
        totals.cuts += book.cuts;
    }
    check_real_time(sends);
    totals.stored += stored.len();
}

/// What was acknowledged before another was sent comes before it.
fn check_real_time(mut sends: Vec<Acknowledged>) {
    sends.sort_by_key(|send| std::cmp::Reverse(send.seq));
    let mut earliest_later = None;
    for send in sends {
        if let Some(earliest) = earliest_later {
            assert!(
                earliest >= send.sent,
                "a message that was acknowledged before another was sent comes after it"
            );
        }
        earliest_later = Some(earliest_later.map_or(send.answered, |earliest: Instant| {
            earliest.min(send.answered)
        }));
    }
}

/// One member's life: connect, listen from where they were, send, until the connection breaks; then again.
struct Life {
    member: Arc<Member>,
    whereabouts: Whereabouts,
    stop: Arc<AtomicBool>,
    sending: Arc<AtomicUsize>,
    random: StdRng,
    cut: f64,
    n: usize,
    /// Key, text and first sending of the message that was not acknowledged yet.
    outstanding: Option<(String, String, Instant)>,
    is_sending: bool,
}

impl Life {
    async fn live(mut self) {
        loop {
            let url = self.whereabouts.borrow_and_update().clone();
            let token = self.member.client.token.clone().expect("a token");
            let socket = match url {
                Some(url) => Socket::try_signed_in(&url, &token).await,
                None => None,
            };
            match socket {
                Some(socket) => {
                    self.talk(socket).await;
                    self.member.book.lock().expect("a lock").cuts += 1;
                }
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }

    /// Talks until the connection breaks, or is cut.
    async fn talk(&mut self, mut socket: Socket) -> Option<()> {
        let last = self.member.book.lock().expect("a lock").heard.len();
        let follow = json!({"c": self.member.conversation, "a": last});
        let follow = json!({"id": "f", "type": "subscribe", "payload": {"query": FOLLOW, "variables": follow}});
        socket.try_say(&follow).await?;
        let cursor = self.member.book.lock().expect("a lock").cursor.clone();
        let events = json!({"query": EVENTS, "variables": {"after": cursor}});
        let events = json!({"id": "e", "type": "subscribe", "payload": events});
        socket.try_say(&events).await?;
        if self.outstanding.is_some() {
            self.member.book.lock().expect("a lock").retries += 1;
        }
        loop {
            self.say_something(&mut socket).await?;
            let heard = socket.try_hear_or_wait().await.ok()??;
            let payload = &heard["payload"]["data"];
            match heard["id"].as_str().expect("an id") {
                "f" => {
                    assert_eq!(heard["type"], "next", "the stream ended: {heard}");
                    self.hear(&payload["messageSent"]);
                }
                "e" => {
                    assert_eq!(heard["type"], "next", "the stream ended: {heard}");
                    self.be_told(&payload["events"]);
                }
                _ if heard["type"] == "next" => {
                    assert_eq!(payload["sendMessage"]["userErrors"], json!([]), "{heard}");
                    self.acknowledge(
                        payload["sendMessage"]["messageEdge"]["node"]["seq"]
                            .as_i64()
                            .expect("a number"),
                    );
                    if self.random.random_bool(self.cut) {
                        return None;
                    }
                }
                // A server that is stopping says so; the retry settles it.
                _ if heard["type"] == "error" => return None,
                _ => {}
            }
        }
    }

    async fn say_something(&mut self, socket: &mut Socket) -> Option<()> {
        if self
            .outstanding
            .as_ref()
            .is_some_and(|(key, ..)| socket.said(key))
        {
            return Some(());
        }
        if self.outstanding.is_none() {
            if self.stop.load(Ordering::SeqCst) {
                if std::mem::take(&mut self.is_sending) {
                    self.sending.fetch_sub(1, Ordering::SeqCst);
                }
                return Some(());
            }
            self.n += 1;
            let key = format!("{}-{}", self.member.name, self.n);
            let text = format!("{key} {}", "x".repeat(self.random.random_range(0..200)));
            self.outstanding = Some((key, text, Instant::now()));
        }
        let (key, text, _) = self.outstanding.clone()?;
        socket
            .send(&key, &self.member.conversation, &text, &key)
            .await?;
        // Cut while the answer is on its way: was it stored? Only the retry can tell.
        if self.random.random_bool(self.cut) {
            None
        } else {
            Some(())
        }
    }

    fn hear(&self, message: &Value) {
        let mut book = self.member.book.lock().expect("a lock");
        let seq = message["seq"].as_i64().expect("a number");
        assert_eq!(
            seq,
            book.heard.len() as i64 + 1,
            "{} heard a gap or a repeat",
            self.member.name
        );
        book.heard
            .push((seq, message["text"].as_str().expect("a text").to_owned()));
    }

    fn be_told(&self, frame: &Value) {
        let mut book = self.member.book.lock().expect("a lock");
        assert_eq!(frame["resync"], json!(null), "the history is the same");
        for event in frame["events"].as_array().expect("events") {
            let id = event["id"].as_str().expect("an id").to_owned();
            assert!(book.events.insert(id), "{event} was told twice");
            let message = &event["messageEdge"]["node"];
            if let Some(seq) = message["seq"].as_i64() {
                let next = book.told.len() as i64 + 1;
                assert_eq!(seq, next, "{} was told a gap or a repeat", self.member.name);
                let text = message["text"].as_str().expect("a text").to_owned();
                book.told.push((seq, text));
            }
        }
        frame["cursor"]
            .as_str()
            .expect("a cursor")
            .clone_into(&mut book.cursor);
    }

    fn acknowledge(&mut self, seq: i64) {
        let (key, text, sent) = self.outstanding.take().expect("something was sent");
        let acknowledged = Acknowledged {
            seq,
            text,
            sent,
            answered: Instant::now(),
        };
        self.member
            .book
            .lock()
            .expect("a lock")
            .acknowledged
            .insert(key, acknowledged);
    }
}

/// A number from the environment, for longer runs than `make test` has time for.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .map_or(default, |text| text.parse().expect("a number"))
}
