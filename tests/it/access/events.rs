//! Who hears of what: each change, and exactly those who hear it, whether they listen or come back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::cast::{Cast, EVERYBODY, MEMBERS, Who};
use crate::support::{TestApp, events::Events};

use Who::{Admin, Banned, Blocked, Member, Owner, Removed, Stranger};

/// Which events who hears of a change.
type Told = &'static [(&'static str, &'static [Who])];

const SENT: Told = &[("MessageSent", MEMBERS)];
const TO_TWO: Told = &[("MessageSent", &[Member, Owner])];
const READ: Told = &[("ReadStatusChanged", MEMBERS)];
const UPDATED: Told = &[("ConversationUpdated", MEMBERS)];
const PROMOTED: Told = &[
    ("ConversationUpdated", &[Admin]),
    ("MemberChanged", MEMBERS),
];
const JOINED: Told = &[
    ("ConversationAdded", &[Stranger]),
    ("MemberChanged", MEMBERS),
];
const LEFT: Told = &[
    ("ConversationRemoved", &[Stranger]),
    ("MemberRemoved", MEMBERS),
];
const BLOCKED: Told = &[
    ("BlockChanged", &[Owner]),
    ("FriendRequestChanged", &[Stranger, Owner]),
];
const UNBLOCKED: Told = &[("BlockChanged", &[Owner])];
const ENDED: Told = &[
    ("ConversationUpdated", &[Member, Owner]),
    ("FriendRemoved", &[Member, Owner]),
];
const ASKED: Told = &[("FriendRequestChanged", &[Member, Owner])];
const BEGAN: Told = &[
    ("ConversationUpdated", &[Member, Owner]),
    ("FriendAdded", &[Member, Owner]),
    ("FriendRequestChanged", &[Member, Owner]),
];
const DELETED: Told = &[("ConversationRemoved", MEMBERS)];
// Friends, and the other one of a direct conversation.
const SHOWN: Told = &[(
    "UserUpdated",
    &[Member, Removed, Banned, Blocked, Admin, Owner],
)];

/// Who does what, and who hears which events of it.
type Row = (&'static str, Who, Value, Told);

fn in_conversations(cast: &Cast) -> Vec<Row> {
    let (group, channel, direct) = (&cast.group, &cast.channel, &cast.direct);
    let said = |conversation: &String| json!({"conversationId": conversation, "text": "hello"});
    let at = |conversation: &String| json!({"conversationId": conversation});
    let role = json!({"conversationId": group, "userId": cast.id(Admin), "role": "MEMBER"});
    let title = json!({"conversationId": group, "title": "Hikes"});
    let read = json!({"conversationId": group, "seq": 2});
    vec![
        ("sendMessage", Owner, said(group), SENT),
        ("sendMessage", Owner, said(channel), SENT),
        ("sendMessage", Owner, said(direct), TO_TWO),
        ("markRead", Member, read, READ),
        ("updateConversation", Owner, title, UPDATED),
        ("archiveConversation", Owner, at(group), UPDATED),
        ("changeMemberRole", Owner, role, PROMOTED),
        ("joinChannel", Stranger, at(channel), JOINED),
        ("leaveConversation", Stranger, at(channel), LEFT),
    ]
}

fn between_people(cast: &Cast) -> Vec<Row> {
    let user = |who: Who| json!({"userId": cast.id(who)});
    let group = json!({"conversationId": cast.group});
    let name = json!({"displayName": "Olga"});
    vec![
        ("blockUser", Owner, user(Stranger), BLOCKED),
        ("unblockUser", Owner, user(Stranger), UNBLOCKED),
        ("removeFriend", Owner, user(Member), ENDED),
        ("sendFriendRequest", Member, user(Owner), ASKED),
        ("sendFriendRequest", Owner, user(Member), BEGAN),
        ("deleteConversation", Owner, group, DELETED),
        ("updateProfile", Owner, name, SHOWN),
    ]
}

/// What somebody hears up to where the log is now.
async fn heard(events: &mut Events, until: &str) -> Vec<Value> {
    let mut heard = Vec::new();
    loop {
        let frame = events.frame().await;
        heard.extend(frame.events().iter().cloned());
        if frame.cursor() == until {
            return heard;
        }
    }
}

fn name(event: &Value) -> String {
    let name = event["__typename"].as_str().expect("a name");
    name.trim_end_matches("Event").to_owned()
}

#[tokio::test]
async fn each_change_is_heard_by_those_of_its_row_and_by_nobody_else() {
    let app = TestApp::start_with(parlor::model::Limits {
        heartbeat_every: std::time::Duration::from_millis(20),
        rate_limits: false,
        ..parlor::model::Limits::default()
    })
    .await;
    let cast = Cast::assemble(&app).await;
    let mut streams = Vec::new();
    for who in &EVERYBODY[1..] {
        streams.push((*who, cast.client(*who).events().await));
    }
    let mut from = cast.client(Owner).event_cursor().await;
    for (field, who, input, told) in in_conversations(&cast)
        .into_iter()
        .chain(between_people(&cast))
    {
        let reply = cast.client(who).mutate(field, "__typename", input).await;
        assert_eq!(reply.refusals(), [], "{who:?} {field}");
        let until = cast.client(Owner).event_cursor().await;
        let mut hearers: BTreeMap<String, Vec<Who>> = BTreeMap::new();
        for (who, stream) in &mut streams {
            let live = heard(stream, &until).await;
            for event in &live {
                hearers.entry(name(event)).or_default().push(*who);
            }
            let (missed, _) = cast.client(*who).missed(&from).await;
            assert_eq!(missed, live, "{who:?} came back after {field}");
        }
        let expected: BTreeMap<_, _> = told
            .iter()
            .map(|(name, people)| ((*name).to_owned(), people.to_vec()))
            .collect();
        assert_eq!(hearers, expected, "{who:?} {field}");
        from = until;
    }
}

/// Whoever comes back from the very beginning is shown nothing that they may not see.
#[tokio::test]
async fn what_is_private_is_in_no_event_of_those_who_may_not_see_it() {
    let app = TestApp::start().await;
    let first = app.sign_up("first").await.event_cursor().await;
    let cast = Cast::assemble(&app).await;
    let mut names = BTreeSet::new();
    for who in &EVERYBODY[1..] {
        let (missed, _) = cast.client(*who).missed(&first).await;
        names.extend(missed.iter().map(name));
        let shown = Value::from(missed).to_string();
        for thing in cast
            .things
            .iter()
            .filter(|thing| !thing.seen_by.contains(who))
        {
            // Of what they were removed from they know that they were.
            let told = shown.matches(&thing.id).count();
            let removals = shown
                .matches(&format!("\"conversationId\":\"{}\"", thing.id))
                .count();
            assert_eq!(told, removals, "{who:?}: {} {}", thing.of, thing.name);
        }
    }
    assert!(names.len() >= 6, "{names:?}");
}
