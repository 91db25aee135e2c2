//! A few people who have talked already, for a first look.

use crate::{
    chat::{Chat, CreateConversation, Error, SignUp, Viewer},
    model::{ConversationId, ConversationKind},
};

/// The password of everybody in the demo.
pub const PASSWORD: &str = "correct horse battery";

/// Somebody of the demo.
#[derive(Debug)]
pub struct Person {
    /// To sign in with.
    pub handle: &'static str,
    /// Who is signed in already.
    pub token: String,
}

const PEOPLE: [(&str, &str); 3] = [
    ("alice", "Alice Liddell"),
    ("bob", "Bob Cratchit"),
    ("carol", "Carol Danvers"),
];

/// Who says it, and what.
type Line = (usize, &'static str);

/// Title, topic, and what was said.
const GROUPS: [(&str, &str, &[Line]); 2] = [
    (
        "Weekend",
        "Where shall we go?",
        &[
            (0, "Who is in for a walk on Saturday?"),
            (1, "Me! Where to?"),
            (2, "The lake, if it does not rain."),
            (0, "It never rains on Saturdays."),
            (1, "It rained last Saturday …"),
        ],
    ),
    (
        "Book club",
        "One chapter a week",
        &[
            (2, "Chapter four is for next week."),
            (0, "Already done. Twice."),
        ],
    ),
];

const CHANNEL: (&str, &str, &[Line]) = (
    "Lost and found",
    "Anybody may join and look",
    &[(2, "Found: one glove, left hand.")],
);

/// What the first two say to each other.
const DIRECT: &[Line] = &[
    (0, "Is it your glove?"),
    (1, "I have two. Surprise gift for Carol?"),
];

/// Fills a database if nobody lives there yet.
pub async fn fill(chat: &Chat) -> Result<(), Error> {
    if !chat.is_empty().await? {
        return Ok(());
    }
    let mut people = Vec::with_capacity(PEOPLE.len());
    for (handle, display_name) in PEOPLE {
        let new = SignUp {
            handle: handle.to_owned(),
            display_name: display_name.to_owned(),
            password: PASSWORD.to_owned(),
            device_name: Some("demo".to_owned()),
        };
        people.push(chat.sign_up(new).await?.viewer);
    }
    make_friends(chat, &people).await?;
    for (title, topic, lines) in GROUPS {
        let others = people.iter().skip(1).map(|person| person.user.to_string());
        let group = make(
            chat,
            &people,
            ConversationKind::Group,
            (title, topic),
            others,
        )
        .await?;
        talk(chat, &people, group, lines).await?;
    }
    let (title, topic, lines) = CHANNEL;
    let nobody = std::iter::empty();
    let channel = make(
        chat,
        &people,
        ConversationKind::Channel,
        (title, topic),
        nobody,
    )
    .await?;
    for person in people.iter().skip(1) {
        chat.join_channel(*person, &channel.to_string()).await?;
    }
    talk(chat, &people, channel, lines).await?;
    let direct = chat
        .open_direct_conversation(people[0], &people[1].user.to_string())
        .await?;
    talk(chat, &people, direct.conversation.id, DIRECT).await
}

/// Everybody with everybody.
async fn make_friends(chat: &Chat, people: &[Viewer]) -> Result<(), Error> {
    for (n, one) in people.iter().enumerate() {
        for other in &people[n + 1..] {
            // Asking back accepts.
            chat.send_friend_request(*one, &other.user.to_string())
                .await?;
            chat.send_friend_request(*other, &one.user.to_string())
                .await?;
        }
    }
    Ok(())
}

async fn make(
    chat: &Chat,
    people: &[Viewer],
    kind: ConversationKind,
    (title, topic): (&str, &str),
    members: impl Iterator<Item = String>,
) -> Result<ConversationId, Error> {
    let new = CreateConversation {
        kind,
        title: title.to_owned(),
        topic: Some(topic.to_owned()),
        member_ids: members.collect(),
        idempotency_key: None,
    };
    Ok(chat.create_conversation(people[0], new).await?.id)
}

async fn talk(
    chat: &Chat,
    people: &[Viewer],
    conversation: ConversationId,
    lines: &[Line],
) -> Result<(), Error> {
    for (sender, text) in lines {
        chat.send_message(people[*sender], &conversation.to_string(), text, None)
            .await?;
    }
    Ok(())
}

/// Signs the demo's people in, as many of them as live here with the demo's password.
pub async fn people(chat: &Chat) -> Result<Vec<Person>, Error> {
    let mut people = Vec::with_capacity(PEOPLE.len());
    for (handle, _) in PEOPLE {
        match chat
            .log_in(None, handle, PASSWORD.to_owned(), Some("demo".to_owned()))
            .await
        {
            Ok(signed_in) => people.push(Person {
                handle,
                token: signed_in.token.reveal().to_owned(),
            }),
            Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(people)
}
