//! A few people who have talked already, for a first look.

use crate::{
    chat::{Chat, CreateConversation, Error, SignUp},
    model::ConversationKind,
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
    for (title, topic, messages) in GROUPS {
        let new = CreateConversation {
            kind: ConversationKind::Group,
            title: title.to_owned(),
            topic: Some(topic.to_owned()),
            member_ids: people
                .iter()
                .skip(1)
                .map(|person| person.user.to_string())
                .collect(),
            idempotency_key: None,
        };
        let group = chat.create_conversation(people[0], new).await?;
        for (sender, text) in messages {
            chat.send_message(people[*sender], &group.id.to_string(), text, None)
                .await?;
        }
    }
    Ok(())
}

/// Signs the demo's people in, as many of them as live here with the demo's password.
pub async fn people(chat: &Chat) -> Result<Vec<Person>, Error> {
    let mut people = Vec::with_capacity(PEOPLE.len());
    for (handle, _) in PEOPLE {
        match chat
            .log_in(handle, PASSWORD.to_owned(), Some("demo".to_owned()))
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
