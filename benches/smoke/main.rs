//! What a send, a delivery, an event and a page of history allocate, held to bounds. Counts are the same on every machine,
//! and most of what makes a server slower allocates more: so this can guard in CI what only a quiet machine can measure.
//!
//! The server runs in this process, so the client is one that allocates nothing itself (`socket.rs`). SQLite's own memory is
//! not counted, for it comes from C.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::cast_precision_loss,
    reason = "figures of a few digits; none comes near 2^52"
)]

mod socket;

use std::{alloc::System, error::Error, net::SocketAddr, sync::Arc};

use parlor::{
    chat::{Chat, CreateConversation, SignUp, SignedIn},
    model::{ConversationKind, Limits},
    server::{Server, Settings},
};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio_util::sync::CancellationToken;

use socket::{Socket, operation};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What each may allocate: what it did on 2026-11-29 (114, 1.00, 1.00 and 293 allocations), and 15 % more. Who makes it less
/// lowers the bound.
const BOUNDS: [(&str, Cost); 4] = [
    (
        "a send",
        Cost {
            allocations: 131.0,
            bytes: 33_200.0,
        },
    ),
    (
        "a delivery",
        Cost {
            allocations: 1.15,
            bytes: 417.0,
        },
    ),
    (
        "an event",
        Cost {
            allocations: 1.15,
            bytes: 511.0,
        },
    ),
    (
        "a page of 50",
        Cost {
            allocations: 337.0,
            bytes: 100_600.0,
        },
    ),
];

const SEND: &str = "mutation($i:SendMessageInput!){sendMessage(input:$i){messageEdge{node{id seq}} userErrors{code message}}}";
const MESSAGES: &str = "subscription($c:ID!){messageSent(conversationId:$c){id seq text sentAt sender{id displayName}}}";
const EVENTS: &str = "subscription{events{cursor events{__typename ... on MessageSentEvent{messageEdge{node{id seq text sentAt sender{id displayName}}}}}}}";
const PAGE: &str = "query($c:ID!){conversation(id:$c){messages(last:50){pageInfo{startCursor} edges{node{id seq text sentAt sender{id displayName}}}}}}";

/// Of which the median is taken.
const ROUNDS: usize = 7;
/// Sends or pages of a round.
const STEPS: usize = 100;
/// Before the first round, so that what is kept from then on is there.
const WARM_UP: usize = 300;
const FEW: usize = 100;
const MANY: usize = 200;
const SOCKETS_PER_PERSON: usize = 16;

/// What one thing allocates.
#[derive(Debug, Clone, Copy)]
struct Cost {
    allocations: f64,
    bytes: f64,
}

/// What is allocated, for each of so many things.
fn counted(count: usize, work: impl FnOnce() -> Outcome<()>) -> Outcome<Cost> {
    let region = Region::new(ALLOCATOR);
    work()?;
    let change = region.change();
    let each = |all: usize| all as f64 / count as f64;
    Ok(Cost {
        allocations: each(change.allocations + change.reallocations),
        bytes: each(change.bytes_allocated),
    })
}

/// The middle of several rounds.
fn median(mut round: impl FnMut() -> Outcome<Cost>) -> Outcome<Cost> {
    let mut rounds = (0..ROUNDS).map(|_| round()).collect::<Outcome<Vec<_>>>()?;
    let mut middle = |of: fn(&Cost) -> f64| {
        rounds.sort_unstable_by(|a, b| of(a).total_cmp(&of(b)));
        of(&rounds[ROUNDS / 2])
    };
    Ok(Cost {
        allocations: middle(|cost| cost.allocations),
        bytes: middle(|cost| cost.bytes),
    })
}

/// The people, and a channel in which all of them are.
struct Cast {
    address: SocketAddr,
    people: Vec<SignedIn>,
    channel: String,
}

async fn cast(address: SocketAddr, chat: &Chat) -> Outcome<Cast> {
    let mut people = Vec::new();
    for n in 0..=MANY.div_ceil(SOCKETS_PER_PERSON) {
        let input = SignUp {
            handle: format!("person_{n}"),
            display_name: format!("Person {n}"),
            password: "correct horse battery".to_owned(),
            device_name: None,
        };
        people.push(chat.sign_up(input).await.map_err(|e| format!("{e:?}"))?);
    }
    let input = CreateConversation {
        kind: ConversationKind::Channel,
        title: "Channel".to_owned(),
        topic: None,
        member_ids: Vec::new(),
        idempotency_key: None,
    };
    let made = chat.create_conversation(people[0].viewer, input).await;
    let channel = made.map_err(|e| format!("{e:?}"))?.id.to_string();
    for person in &people[1..] {
        let joined = chat.join_channel(person.viewer, &channel).await;
        joined.map_err(|e| format!("{e:?}"))?;
    }
    Ok(Cast {
        address,
        people,
        channel,
    })
}

impl Cast {
    fn send(&self) -> String {
        let input = json!({"conversationId": self.channel, "text": "x".repeat(100)});
        operation("send", SEND, &json!({"i": input}))
    }

    /// So many sends by somebody who hears nothing of them, and their deliveries to others.
    fn deliver(
        &self,
        sender: &mut Socket,
        listeners: &mut [Socket],
        sends: usize,
    ) -> Outcome<Cost> {
        let send = self.send();
        counted(sends, || {
            for _ in 0..sends {
                sender.say(&send)?;
                sender.hear(r#""userErrors":[]"#)?;
                sender.hear("complete")?;
                for listener in &mut *listeners {
                    listener.hear(r#""text":"xxx"#)?;
                }
            }
            Ok(())
        })
    }

    fn sockets(&self, count: usize) -> impl Iterator<Item = Outcome<Socket>> {
        let person = |n: usize| &self.people[1 + n / SOCKETS_PER_PERSON];
        (0..count).map(move |n| Socket::open(self.address, person(n)))
    }

    /// People who listen to the channel.
    fn listeners(&self, count: usize) -> Outcome<Vec<Socket>> {
        let listening = self.sockets(count).map(|socket| {
            let mut socket = socket?;
            socket.subscribe(MESSAGES, &json!({"c": self.channel}))?;
            Ok(socket)
        });
        listening.collect()
    }

    /// People who listen to everything that happens to them.
    fn followers(&self, count: usize) -> Outcome<Vec<Socket>> {
        let following = self.sockets(count).map(|socket| {
            let mut socket = socket?;
            socket.say(&operation("follow", EVENTS, &json!({})))?;
            // The first frame comes at once.
            socket.hear("cursor")?;
            Ok(socket)
        });
        following.collect()
    }

    /// Somebody alone who sends and hears it.
    fn a_send(&self) -> Outcome<Cost> {
        let mut sender = Socket::open(self.address, &self.people[0])?;
        let mut alone = self.listeners(1)?;
        self.deliver(&mut sender, &mut alone, WARM_UP)?;
        median(|| self.deliver(&mut sender, &mut alone, STEPS))
    }

    /// What a hundred of those who hear a message more cost, for each of them.
    fn a_delivery(&self, hearing: fn(&Self, usize) -> Outcome<Vec<Socket>>) -> Outcome<Cost> {
        let mut sender = Socket::open(self.address, &self.people[0])?;
        let mut listeners = hearing(self, FEW)?;
        self.deliver(&mut sender, &mut listeners, WARM_UP)?;
        let few = median(|| self.deliver(&mut sender, &mut listeners, STEPS))?;
        drop(listeners);
        let mut listeners = hearing(self, MANY)?;
        self.deliver(&mut sender, &mut listeners, WARM_UP)?;
        let many = median(|| self.deliver(&mut sender, &mut listeners, STEPS))?;
        let more = (MANY - FEW) as f64;
        Ok(Cost {
            allocations: (many.allocations - few.allocations) / more,
            bytes: (many.bytes - few.bytes) / more,
        })
    }

    fn a_page(&self) -> Outcome<Cost> {
        let mut reader = Socket::open(self.address, &self.people[0])?;
        let ask = operation("page", PAGE, &json!({"c": self.channel}));
        let mut read = |pages: usize| {
            counted(pages, || {
                for _ in 0..pages {
                    reader.say(&ask)?;
                    reader.hear("startCursor")?;
                    reader.hear("complete")?;
                }
                Ok(())
            })
        };
        read(WARM_UP)?;
        median(|| read(STEPS))
    }
}

/// Says what was counted, and whether all of it is within its bounds.
fn judge(costs: [Cost; 4]) -> Outcome<()> {
    println!(
        "{:<14} {:>11} {:>8} {:>9} {:>8}",
        "", "allocations", "at most", "bytes", "at most"
    );
    let mut is_within = true;
    for ((name, bound), cost) in BOUNDS.into_iter().zip(costs) {
        is_within &= cost.allocations <= bound.allocations && cost.bytes <= bound.bytes;
        println!(
            "{name:<14} {:>11.2} {:>8.1} {:>9.0} {:>8.0}",
            cost.allocations, bound.allocations, cost.bytes, bound.bytes
        );
    }
    if is_within {
        Ok(())
    } else {
        Err("something allocates more than it may".into())
    }
}

fn main() -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    let database = directory.path().join("chat.db");
    let url = format!("sqlite://{}?mode=rwc", database.display());
    let limits = Limits {
        rate_limits: false,
        ..Limits::default()
    };
    // One thread for the sockets: what is written together would follow from chance otherwise.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let settings = Settings::new(([127, 0, 0, 1], 0).into(), url, limits);
    let server = runtime.block_on(Server::start(settings))?;
    let (address, chat) = (server.address(), Arc::clone(server.api().chat()));
    let stop = CancellationToken::new();
    let serving = runtime.spawn(server.run_until(stop.clone().cancelled_owned()));
    let cast = runtime.block_on(cast(address, &chat))?;
    let costs = [
        cast.a_send()?,
        cast.a_delivery(Cast::listeners)?,
        cast.a_delivery(Cast::followers)?,
        cast.a_page()?,
    ];
    stop.cancel();
    runtime.block_on(serving)??;
    judge(costs)
}
