//! Four people, all friends, in two groups, a channel and a direct conversation; and what they do.

use std::{
    future::Future,
    path::Path,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use parlor::{
    chat::{
        Chat, CreateConversation, Error, Patch, Reason, SignUp, UpdateConversation, UpdateProfile,
        Viewer,
    },
    fault::Verdict,
    model::{ConversationKind, Message, Role},
};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use tokio::runtime::Runtime;

use super::house::{Bends, House, SimClock, database};

/// Everybody and every place, and the database with them in it.
pub(super) struct Cast {
    pub(super) people: Vec<Viewer>,
    pub(super) conversations: Vec<String>,
    database: Vec<u8>,
}

/// A verb on its way.
pub(super) type Doing<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// Runs the house until a verb is done.
fn finish<T>(runtime: &Runtime, house: &mut House, mut doing: Doing<T>) -> T {
    loop {
        let done = runtime.block_on(async {
            tokio::select! {
                biased;
                done = &mut doing => Some(done),
                () = tokio::time::sleep(std::time::Duration::from_millis(1)) => None,
            }
        });
        if let Some(done) = done {
            return done.unwrap_or_else(|error| panic!("{error:?}"));
        }
        house.write(runtime, Verdict::GoOn).expect("stored");
    }
}

/// The cast; assembled once.
pub(super) fn cast() -> &'static Cast {
    static CAST: OnceLock<Cast> = OnceLock::new();
    CAST.get_or_init(|| std::thread::spawn(assemble).join().expect("a cast"))
}

impl Cast {
    /// A database of one's own with the cast in it.
    pub(super) fn copy_to(&self, directory: &Path) {
        std::fs::write(database(directory), &self.database).expect("a copy");
    }
}

fn assemble() -> Cast {
    let runtime = super::runtime();
    let directory = tempfile::tempdir().expect("a directory");
    let bends = Bends {
        seed: 0,
        fault: None,
        stops: 0.0,
    };
    let clock = Arc::new(SimClock::default());
    let mut house = House::open(&runtime, directory.path(), &clock, bends);
    let mut people = Vec::new();
    for handle in ["alice", "bob", "carol", "dave"] {
        let chat = Arc::clone(&house.chat);
        let input = SignUp {
            handle: handle.to_owned(),
            display_name: handle.to_owned(),
            password: crate::support::PASSWORD.to_owned(),
            device_name: None,
        };
        let signing_up = async move { chat.sign_up(input).await };
        people.push(finish(&runtime, &mut house, Box::pin(signing_up)).viewer);
    }
    befriend(&runtime, &mut house, &people);
    let conversations = gather(&runtime, &mut house, &people);
    house.close(&runtime);
    Cast {
        people,
        conversations,
        database: std::fs::read(database(directory.path())).expect("a database"),
    }
}

/// Everybody asks everybody, and so is everybody's friend.
fn befriend(runtime: &Runtime, house: &mut House, people: &[Viewer]) {
    for who in people {
        for whom in people.iter().filter(|whom| whom.user != who.user) {
            let (chat, who, whom) = (Arc::clone(&house.chat), *who, whom.user.to_string());
            let asking = async move { chat.send_friend_request(who, &whom).await };
            finish(runtime, house, Box::pin(asking));
        }
    }
}

/// Two groups, a channel and a direct conversation.
fn gather(runtime: &Runtime, house: &mut House, people: &[Viewer]) -> Vec<String> {
    let mut conversations = Vec::new();
    for (kind, owner, members) in [
        (ConversationKind::Group, 0, vec![1, 2]),
        (ConversationKind::Group, 1, vec![0]),
        (ConversationKind::Channel, 2, vec![]),
    ] {
        let (chat, owner) = (Arc::clone(&house.chat), people[owner]);
        let member_ids = members.iter().map(|n: &usize| people[*n].user.to_string());
        let input = CreateConversation {
            kind,
            title: "somewhere".to_owned(),
            topic: None,
            member_ids: member_ids.collect(),
            idempotency_key: None,
        };
        let making = async move { chat.create_conversation(owner, input).await };
        let made = finish(runtime, house, Box::pin(making));
        conversations.push(made.id.to_string());
    }
    let (chat, alice, bob) = (
        Arc::clone(&house.chat),
        people[0],
        people[1].user.to_string(),
    );
    let opening = async move { chat.open_direct_conversation(alice, &bob).await };
    let direct = finish(runtime, house, Box::pin(opening));
    conversations.push(direct.conversation.id.to_string());
    conversations
}

/// A message that somebody wants to send until they are told that it is stored, or may not be.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) sender: usize,
    pub(super) conversation: String,
    pub(super) text: String,
    pub(super) key: String,
    /// Step at which it was sent first.
    pub(super) sent: u64,
}

impl Letter {
    pub(super) fn send(&self, chat: &Arc<Chat>) -> Doing<Arc<Message>> {
        let (chat, letter) = (Arc::clone(chat), self.clone());
        let sender = cast().people[letter.sender];
        Box::pin(async move {
            let key = Some(letter.key.as_str());
            let sent = chat.send_message(sender, &letter.conversation, &letter.text, key);
            Ok(sent.await?.message)
        })
    }
}

/// Whether a failure leaves open what happened.
pub(super) fn is_open(error: &Error) -> bool {
    matches!(error, Error::Unavailable { .. } | Error::Internal(_))
}

/// Whether a failure says that the key was used for something else.
pub(super) fn is_conflict(error: &Error) -> bool {
    let Error::Refused(rejections) = error else {
        return false;
    };
    rejections
        .iter()
        .any(|rejection| rejection.reason == Reason::Conflict)
}

/// Somebody does something other than sending.
pub(super) fn something(random: &mut StdRng, chat: &Arc<Chat>, n: u64) -> Doing<()> {
    let cast = cast();
    let person = |random: &mut StdRng| *cast.people.choose(random).expect("somebody");
    let (who, whom) = (person(random), person(random).user.to_string());
    let place = cast.conversations.choose(random).expect("a place").clone();
    let seq = random.random_range(0..6);
    let chat = Arc::clone(chat);
    let kind = random.random_range(0..24);
    if random.random_bool(0.02) {
        let place = cast.conversations[random.random_range(0..3)].clone();
        return Box::pin(async move { chat.delete_conversation(who, &place).await.map(drop) });
    }
    // The one who may add and remove does so most.
    let who = if (5..12).contains(&kind) && random.random_bool(0.7) {
        cast.people[0]
    } else {
        who
    };
    let place = if (5..12).contains(&kind) && random.random_bool(0.7) {
        cast.conversations[0].clone()
    } else {
        place
    };
    Box::pin(async move {
        match kind {
            0..4 => chat.mark_read(who, &place, seq).await.map(drop),
            4 => chat.mark_unread(who, &place, seq).await.map(drop),
            5..9 => chat.add_members(who, &place, &[whom]).await.map(drop),
            9..12 => chat
                .remove_member(who, &place, &whom, false)
                .await
                .map(drop),
            12 => chat.remove_member(who, &place, &whom, true).await.map(drop),
            13 => chat.unban_user(who, &place, &whom).await.map(drop),
            14 => chat.leave_conversation(who, &place).await.map(drop),
            15..18 => chat.join_channel(who, &place).await.map(drop),
            18 => {
                let role = if n.is_multiple_of(2) {
                    Role::Admin
                } else {
                    Role::Member
                };
                chat.change_member_role(who, &place, &whom, role)
                    .await
                    .map(drop)
            }
            19 => {
                let input = UpdateConversation {
                    conversation_id: place,
                    title: Patch::Set(format!("title {n}")),
                    topic: Patch::Keep,
                    posting_policy: Patch::Keep,
                    invite_policy: Patch::Keep,
                };
                chat.update_conversation(who, input).await.map(drop)
            }
            20 => chat
                .archive_conversation(who, &place, n.is_multiple_of(3))
                .await
                .map(drop),
            21 => {
                let input = UpdateProfile {
                    display_name: Patch::Set(format!("name {n}")),
                    avatar_url: Patch::Keep,
                };
                chat.update_profile(who, &input).await.map(drop)
            }
            22 => chat.remove_friend(who, &whom).await.map(drop),
            _ => chat.send_friend_request(who, &whom).await.map(drop),
        }
    })
}
