//! A server with the people and the conversations of a scenario.

use std::path::PathBuf;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::{
    Outcome,
    http::Http,
    process::{Process, SIDES, Side},
};

const SIGN_UP: &str =
    "mutation($i:SignUpInput!){signUp(input:$i){token{value} userErrors{message}}}";
const CREATE: &str = "mutation($i:CreateConversationInput!){createConversation(input:$i){conversationEdge{node{id}} userErrors{message}}}";
const JOIN: &str = "mutation($i:JoinChannelInput!){joinChannel(input:$i){userErrors{message}}}";

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Sign-ups at one time: as many as Parlor hashes passwords for.
const SIGN_UPS: usize = 4;

pub(crate) struct Site {
    pub(crate) side: Side,
    pub(crate) process: Process,
    directory: tempfile::TempDir,
    /// The people's tokens; at the floor nobody asks for them.
    pub(crate) people: Vec<String>,
    /// The conversations' identifiers.
    pub(crate) rooms: Vec<String>,
}

/// Asks for something at Parlor.
pub(crate) async fn ask(
    http: &mut Http,
    token: Option<&str>,
    query: &str,
    variables: Value,
) -> Outcome<Value> {
    let body = json!({"query": query, "variables": variables}).to_string();
    let answer = http.post(token, &body).await?;
    let mut value: Value = serde_json::from_str(answer)?;
    // Nothing else that is asked for here has this name: somebody was refused something.
    if value.get("errors").is_some() || answer.contains("\"message\"") {
        return Err(value.to_string().into());
    }
    Ok(value["data"].take())
}

impl Site {
    /// Starts both servers, with so many people, of whom these have a conversation each.
    pub(crate) async fn both(people: usize, rooms: &[Vec<usize>]) -> Outcome<[Self; 2]> {
        let [floor, parlor] = SIDES;
        Ok([
            Self::start(floor, people, rooms).await?,
            Self::start(parlor, people, rooms).await?,
        ])
    }

    /// Starts a server with so many people, of whom these have a conversation each.
    pub(crate) async fn start(side: Side, people: usize, rooms: &[Vec<usize>]) -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let process = Process::start(side, &directory.path().join("chat.db"))?;
        let mut made = Self {
            side,
            process,
            directory,
            people: Vec::new(),
            rooms: Vec::new(),
        };
        match side {
            Side::Floor => made.rooms = (0..rooms.len()).map(|n| format!("room_{n}")).collect(),
            Side::Parlor => {
                let address = made.process.address;
                let tokens = (0..people).map(|n| async move {
                    let mut http = Http::connect(address).await?;
                    sign_up(&mut http, n).await
                });
                made.people = stream::iter(tokens)
                    .buffered(SIGN_UPS)
                    .try_collect()
                    .await?;
                made.furnish(rooms).await?;
            }
        }
        Ok(made)
    }

    /// Makes a channel for each of these, by the first of them, and has the others join.
    async fn furnish(&mut self, rooms: &[Vec<usize>]) -> Outcome<()> {
        let mut http = Http::connect(self.process.address).await?;
        for (n, members) in rooms.iter().enumerate() {
            let token = |person: usize| Some(self.people[person].as_str());
            let (owner, others) = members.split_first().ok_or("nobody is in a room")?;
            let input = json!({"i": {"kind": "CHANNEL", "title": format!("Room {n}")}});
            let made = ask(&mut http, token(*owner), CREATE, input).await?;
            let id = made["createConversation"]["conversationEdge"]["node"]["id"].as_str();
            let id = id.ok_or("no id")?.to_owned();
            for other in others {
                let input = json!({"i": {"conversationId": id}});
                ask(&mut http, token(*other), JOIN, input).await?;
            }
            self.rooms.push(id);
        }
        Ok(())
    }

    /// The same people and conversations in a process that has done nothing yet.
    pub(crate) fn restart(self) -> Outcome<Self> {
        let Self {
            side,
            process,
            directory,
            people,
            rooms,
        } = self;
        drop(process);
        let database: PathBuf = directory.path().join("chat.db");
        Ok(Self {
            side,
            process: Process::start(side, &database)?,
            directory,
            people,
            rooms,
        })
    }
}

async fn sign_up(http: &mut Http, n: usize) -> Outcome<String> {
    let input = json!({"i": {"handle": format!("person_{n}"), "displayName": format!("Person {n}"), "password": PASSWORD}});
    let made = ask(http, None, SIGN_UP, input).await?;
    let token = made["signUp"]["token"]["value"].as_str();
    Ok(token.ok_or("no token")?.to_owned())
}
