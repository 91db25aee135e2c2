//! What everybody gets who tries a mutation on what is the owner's: a row each, and a mutation without one fails.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    asked,
    cast::{Cast, EVERYBODY, Who},
    types,
};
use crate::support::{PASSWORD, TestApp};

/// A mutation, what it is tried with, and what becomes of it, in the order of the cast: anonymous, stranger, member,
/// removed, banned, blocked, admin, owner. `OK` when it holds, else the code.
struct Row(&'static str, fn(&Cast) -> Value, [&'static str; 8]);

/// A conversation that is hidden from strangers.
const HIDDEN: &str = "NOT_FOUND";
const NO: &str = "FORBIDDEN";
const OK: &str = "OK";
const NOBODY: &str = "UNAUTHENTICATED";

fn there(conversation: &str) -> Value {
    json!({ "conversationId": conversation })
}

fn with(mut input: Value, field: &str, value: Value) -> Value {
    input[field] = value;
    input
}

fn owner(cast: &Cast) -> Value {
    json!({"userId": cast.id(Who::Owner)})
}

/// In an order in which what holds changes nothing for those who come after.
const ROWS: &[Row] = &[
    Row(
        "updateConversation",
        |c| with(there(&c.group), "title", json!("Walks")),
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, OK, OK],
    ),
    Row(
        "updateConversation",
        |c| with(there(&c.channel), "title", json!("Cats")),
        [NOBODY, NO, NO, NO, HIDDEN, NO, OK, OK],
    ),
    Row(
        "updateConversation",
        |c| with(there(&c.direct), "title", json!("Us")),
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, HIDDEN, NO],
    ),
    Row(
        "unarchiveConversation",
        |c| there(&c.group),
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, OK, OK],
    ),
    Row(
        "sendMessage",
        |c| with(there(&c.group), "text", json!("hi")),
        [NOBODY, HIDDEN, OK, HIDDEN, HIDDEN, HIDDEN, OK, OK],
    ),
    Row(
        "sendMessage",
        |c| with(there(&c.channel), "text", json!("hi")),
        [NOBODY, NO, OK, NO, HIDDEN, NO, OK, OK],
    ),
    Row(
        "sendMessage",
        |c| with(there(&c.direct), "text", json!("hi")),
        [NOBODY, HIDDEN, OK, HIDDEN, HIDDEN, HIDDEN, HIDDEN, OK],
    ),
    Row(
        "setTyping",
        |c| with(there(&c.group), "isTyping", json!(true)),
        [NOBODY, HIDDEN, OK, HIDDEN, HIDDEN, HIDDEN, OK, OK],
    ),
    Row(
        "markRead",
        |c| with(there(&c.group), "seq", json!(1)),
        [NOBODY, HIDDEN, OK, HIDDEN, HIDDEN, HIDDEN, OK, OK],
    ),
    Row(
        "markUnread",
        |c| with(there(&c.channel), "seq", json!(1)),
        [NOBODY, NO, OK, NO, HIDDEN, NO, OK, OK],
    ),
    Row(
        "addMembers",
        |c| with(there(&c.group), "userIds", json!([c.id(Who::Member)])),
        [NOBODY, HIDDEN, OK, HIDDEN, HIDDEN, HIDDEN, OK, OK],
    ),
    Row(
        "addMembers",
        |c| with(there(&c.channel), "userIds", json!([c.id(Who::Member)])),
        [NOBODY, NO, NO, NO, HIDDEN, NO, NO, NO],
    ),
    Row(
        "removeMember",
        |c| with(there(&c.group), "userId", json!(c.id(Who::Owner))),
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, NO, NO],
    ),
    Row(
        "removeMember",
        |c| with(there(&c.group), "userId", json!(c.id(Who::Admin))),
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, NO, ""],
    ),
    Row(
        "unbanUser",
        |c| with(there(&c.group), "userId", json!(c.id(Who::Removed))),
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN],
    ),
    Row(
        "changeMemberRole",
        |c| {
            with(
                with(there(&c.group), "userId", json!(c.id(Who::Member))),
                "role",
                json!("MEMBER"),
            )
        },
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, NO, OK],
    ),
    Row(
        "joinChannel",
        |c| there(&c.group),
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, NO, NO],
    ),
    Row(
        "joinChannel",
        |c| there(&c.direct),
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, HIDDEN, NO],
    ),
    Row(
        "joinChannel",
        |c| there(&c.channel),
        [NOBODY, "", OK, "", NO, "", OK, OK],
    ),
    Row(
        "leaveConversation",
        |c| there(&c.direct),
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, HIDDEN, NO],
    ),
    Row(
        "leaveConversation",
        |c| there(&c.group),
        [
            NOBODY,
            HIDDEN,
            "",
            HIDDEN,
            HIDDEN,
            HIDDEN,
            "",
            "WRONG_STATE",
        ],
    ),
    Row(
        "archiveConversation",
        |c| there(&c.direct),
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, HIDDEN, NO],
    ),
    Row(
        "deleteConversation",
        |c| there(&c.group),
        [NOBODY, HIDDEN, NO, HIDDEN, HIDDEN, HIDDEN, NO, ""],
    ),
    Row(
        "openDirectConversation",
        owner,
        [
            NOBODY,
            "NOT_FRIENDS",
            OK,
            OK,
            OK,
            "NOT_FRIENDS",
            OK,
            "INVALID_INPUT",
        ],
    ),
    Row(
        "rejectFriendRequest",
        |c| json!({"friendRequestId": c.request}),
        [NOBODY, NO, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, ""],
    ),
    Row(
        "acceptFriendRequest",
        |c| json!({"friendRequestId": c.request}),
        [NOBODY, NO, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, ""],
    ),
    Row(
        "cancelFriendRequest",
        |c| json!({"friendRequestId": c.request}),
        [NOBODY, "", HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, NO],
    ),
    Row(
        "sendFriendRequest",
        owner,
        [NOBODY, OK, OK, OK, OK, NO, OK, "INVALID_INPUT"],
    ),
    Row(
        "unblockUser",
        |c| json!({"userId": c.id(Who::Blocked)}),
        [
            NOBODY,
            HIDDEN,
            HIDDEN,
            HIDDEN,
            HIDDEN,
            "INVALID_INPUT",
            HIDDEN,
            "",
        ],
    ),
    Row(
        "removeFriend",
        owner,
        [NOBODY, HIDDEN, "", "", "", HIDDEN, "", "INVALID_INPUT"],
    ),
    Row(
        "logOut",
        |c| json!({"sessionId": c.session}),
        [NOBODY, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, ""],
    ),
    Row(
        "blockUser",
        owner,
        [NOBODY, "", "", "", "", "", "", "INVALID_INPUT"],
    ),
    Row(
        "createConversation",
        |_| json!({"title": "Mine"}),
        [NOBODY, OK, OK, OK, OK, OK, OK, OK],
    ),
    Row(
        "updateProfile",
        |_| json!({}),
        [NOBODY, OK, OK, OK, OK, OK, OK, OK],
    ),
    Row(
        "changePassword",
        |_| json!({"currentPassword": "not it at all", "newPassword": PASSWORD}),
        [NOBODY, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG],
    ),
    Row(
        "deleteAccount",
        |_| json!({"password": "not it at all"}),
        [NOBODY, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG],
    ),
    Row(
        "logIn",
        |_| json!({"handle": "nobody_here", "password": "not it at all"}),
        [WRONG; 8],
    ),
    Row(
        "signUp",
        |_| json!({"handle": "owner", "password": PASSWORD, "displayName": "Me"}),
        ["TAKEN"; 8],
    ),
];

const WRONG: &str = "INVALID_CREDENTIALS";

#[test]
fn every_mutation_has_a_row() {
    let types = types();
    let mutations: BTreeSet<_> = types["Mutation"]
        .iter()
        .map(|field| field.name.node.as_str())
        .collect();
    let rows: BTreeSet<_> = ROWS.iter().map(|Row(field, ..)| *field).collect();
    assert_eq!(rows, mutations);
}

/// Where the log stands, and what is stored without a place in it.
async fn stored(app: &TestApp) -> (Vec<i64>, i64, i64) {
    let heads = app.store.heads().await.expect("heads");
    (
        heads,
        app.db_count("bans").await,
        app.db_count("sessions").await,
    )
}

/// An empty cell is a change that would hold and is told elsewhere.
#[tokio::test]
async fn a_mutation_gives_everybody_what_its_row_says_and_nothing_with_a_refusal() {
    let app = TestApp::start().await;
    let cast = Cast::assemble(&app).await;
    let types = types();
    for Row(field, input, cells) in ROWS {
        let upper = format!("{}{}", field[..1].to_uppercase(), &field[1..]);
        let payload = &types[&format!("{upper}Payload")];
        let selection: Vec<_> = payload
            .iter()
            .filter(|field| field.name.node != "userErrors")
            .map(|field| asked(&types, "Payload", field))
            .collect();
        let document = format!(
            "mutation($i:{upper}Input!){{{field}(input:$i){{{} userErrors{{code inputPath message}}}}}}",
            selection.join(" ")
        );
        for (who, cell) in EVERYBODY.into_iter().zip(cells) {
            if cell.is_empty() {
                continue;
            }
            let variables = json!({"i": input(&cast)});
            let before = stored(&app).await;
            let reply = cast.client(who).run(&document, variables).await;
            let at = format!("{field} by {who:?}: {reply:?}");
            if *cell == NOBODY {
                assert_eq!(reply.codes(), [NOBODY], "{at}");
                continue;
            }
            let payload = &reply.0["data"][field];
            let code = payload["userErrors"][0]["code"].as_str().unwrap_or(OK);
            assert_eq!(code, *cell, "{at}");
            if code != OK {
                assert_eq!(stored(&app).await, before, "nothing changed: {at}");
                let fields = payload.as_object().expect("a payload");
                let empty = [json!(null), json!([]), json!(false)];
                let told = fields
                    .iter()
                    .find(|(name, value)| *name != "userErrors" && !empty.contains(value));
                assert_eq!(told, None, "{at}");
            }
        }
    }
}
