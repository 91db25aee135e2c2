//! The floor: what has to be paid for any chat over WebSockets that keeps what was said. Texts are appended to SQLite as
//! durably as Parlor's are (WAL, `synchronous=FULL`), all that wait in one transaction, and after its commit the same bytes
//! go to each socket of a room. No people, no rights, no GraphQL, nothing to resume from.

use std::{
    collections::HashMap,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc as blocking},
};

use axum::{
    Router,
    extract::{
        Query, State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    http::StatusCode,
    response::Response,
    routing::get,
    serve::ListenerExt,
};
use futures_util::{SinkExt, StreamExt};
use rusqlite::{Connection, params};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::Outcome;

/// Frames that wait for a socket; whoever is further behind is forgotten.
const OUTBOX: usize = 1_024;
/// Appends in one transaction.
const BATCH: usize = 1_000;
/// Appends that wait.
const QUEUE: usize = 65_536;
/// Messages of a page.
const PAGE: u32 = 50;

type Outbox = mpsc::Sender<Utf8Bytes>;
type Rooms = Mutex<HashMap<String, Vec<Outbox>>>;

struct Append {
    room: String,
    person: u32,
    text: Utf8Bytes,
    from: Outbox,
}

struct Floor {
    rooms: Arc<Rooms>,
    queue: blocking::SyncSender<Append>,
    database: PathBuf,
    /// Connections that nobody reads with at this moment.
    readers: Mutex<Vec<Connection>>,
}

#[derive(Deserialize)]
struct Joining {
    room: String,
    person: u32,
    listens: bool,
}

#[derive(Deserialize)]
struct Asking {
    room: String,
    before: Option<i64>,
}

fn open(database: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(database)?;
    connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")?;
    Ok(connection)
}

fn frame(id: i64, person: u32, text: &str) -> String {
    format!(r#"{{"id":{id},"person":{person},"text":"{text}"}}"#)
}

fn append(connection: &mut Connection, batch: &[Append]) -> rusqlite::Result<Vec<i64>> {
    let transaction = connection.transaction()?;
    let mut ids = Vec::with_capacity(batch.len());
    {
        let mut insert = transaction
            .prepare_cached("INSERT INTO messages (room, person, text) VALUES (?, ?, ?)")?;
        for Append {
            room, person, text, ..
        } in batch
        {
            ids.push(insert.insert(params![room, person, text.as_str()])?);
        }
    }
    transaction.commit()?;
    Ok(ids)
}

/// Appends what waits, and tells of it when it is kept.
fn write(
    mut connection: Connection,
    rooms: &Rooms,
    queue: &blocking::Receiver<Append>,
) -> Outcome<()> {
    while let Ok(first) = queue.recv() {
        let mut batch = vec![first];
        batch.extend(queue.try_iter().take(BATCH - 1));
        let ids = append(&mut connection, &batch)?;
        let mut rooms = rooms.lock().map_err(|_| "poisoned")?;
        for (
            Append {
                room,
                person,
                text,
                from,
            },
            id,
        ) in batch.iter().zip(ids)
        {
            let bytes = Utf8Bytes::from(frame(id, *person, text));
            // Who sent it may be gone.
            drop(from.try_send(format!("kept {id}").into()));
            if let Some(listeners) = rooms.get_mut(room) {
                listeners.retain(|listener| listener.try_send(bytes.clone()).is_ok());
            }
        }
    }
    Ok(())
}

async fn talk(socket: WebSocket, floor: Arc<Floor>, joining: Joining) {
    let Joining {
        room,
        person,
        listens,
    } = joining;
    let (outbox, mut inbox) = mpsc::channel(OUTBOX);
    if listens && let Ok(mut rooms) = floor.rooms.lock() {
        rooms.entry(room.clone()).or_default().push(outbox.clone());
    }
    let (mut out, mut said) = socket.split();
    let telling = tokio::spawn(async move {
        let mut ready = Vec::new();
        while inbox.recv_many(&mut ready, 64).await > 0 {
            for text in ready.drain(..) {
                if out.feed(Message::Text(text)).await.is_err() {
                    return;
                }
            }
            if out.flush().await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(message)) = said.next().await {
        if let Message::Text(text) = message {
            let append = Append {
                room: room.clone(),
                person,
                text,
                from: outbox.clone(),
            };
            if floor.queue.try_send(append).is_err() {
                break;
            }
        }
    }
    telling.abort();
}

async fn socket(
    State(floor): State<Arc<Floor>>,
    Query(joining): Query<Joining>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .read_buffer_size(4 * 1024)
        .write_buffer_size(4 * 1024)
        .on_upgrade(move |socket| talk(socket, floor, joining))
}

fn page(connection: &Connection, asking: &Asking) -> rusqlite::Result<String> {
    let mut select = connection.prepare_cached(
        "SELECT id, person, text FROM messages WHERE room = ? AND id < ? ORDER BY id DESC LIMIT ?",
    )?;
    let before = asking.before.unwrap_or(i64::MAX);
    let rows = select.query_map(params![asking.room, before, PAGE], |row| {
        Ok(frame(row.get(0)?, row.get(1)?, row.get_ref(2)?.as_str()?))
    })?;
    let rows: Vec<String> = rows.collect::<Result<_, _>>()?;
    Ok(format!("[{}]", rows.join(",")))
}

/// Reads where it stands: to hand so short a read to another thread would cost more.
async fn history(
    State(floor): State<Arc<Floor>>,
    Query(asking): Query<Asking>,
) -> Result<String, StatusCode> {
    let failed = StatusCode::INTERNAL_SERVER_ERROR;
    let idle = floor.readers.lock().map_err(|_| failed)?.pop();
    let connection = match idle {
        Some(connection) => connection,
        None => open(&floor.database).map_err(|_| failed)?,
    };
    let page = page(&connection, &asking).map_err(|_| failed)?;
    floor.readers.lock().map_err(|_| failed)?.push(connection);
    Ok(page)
}

/// Serves until it is killed; says where on standard output.
pub(crate) fn serve(database: &Path) -> Outcome<()> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let connection = open(database)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, room TEXT NOT NULL, person INT NOT NULL, text TEXT NOT NULL);
         CREATE INDEX IF NOT EXISTS messages_by_room ON messages (room, id);",
    )?;
    let rooms: Arc<Rooms> = Arc::default();
    let (queue, waiting) = blocking::sync_channel(QUEUE);
    let told = Arc::clone(&rooms);
    std::thread::spawn(move || {
        if let Err(error) = write(connection, &told, &waiting) {
            // Without a writer nothing is acknowledged, and a benchmark that waits for it would wait for ever.
            drop(writeln!(
                std::io::stderr(),
                "the floor cannot write: {error}"
            ));
            std::process::exit(1);
        }
    });
    let floor = Floor {
        rooms,
        queue,
        database: database.to_owned(),
        readers: Mutex::default(),
    };
    let router = Router::new()
        .route("/socket", get(socket))
        .route("/history", get(history))
        .with_state(Arc::new(floor));
    tokio::runtime::Runtime::new()?.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("The floor is ready at http://{}/", listener.local_addr()?);
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        Ok(axum::serve(listener, router).await?)
    })
}
