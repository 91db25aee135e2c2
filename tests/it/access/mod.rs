//! Who sees what, through every way in. The schema is walked: a field without a row fails.

mod cast;
mod changes;
mod events;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::{
    parse_schema,
    types::{FieldDefinition, TypeKind, TypeSystemDefinition},
};
use serde_json::{Value, json};

use crate::support::TestApp;
use cast::{Cast, EVERYBODY, Thing, Who};
use rows::{FIELDS, Shown};

/// The fields of every object type, by type.
pub(crate) type Types = BTreeMap<String, Vec<FieldDefinition>>;

/// The object types of the schema.
pub(crate) fn types() -> Types {
    let document = parse_schema(parlor::graphql::sdl()).expect("a schema");
    let mut types = Types::new();
    for definition in document.definitions {
        if let TypeSystemDefinition::Type(definition) = definition
            && let TypeKind::Object(object) = definition.node.kind
        {
            let fields = object.fields.into_iter().map(|field| field.node).collect();
            types.insert(definition.node.name.node.to_string(), fields);
        }
    }
    types
}

/// How a field is asked for: with what arguments, and something of what it leads to.
pub(crate) fn asked(types: &Types, of: &str, field: &FieldDefinition) -> String {
    let arguments = match (of, field.name.node.as_str()) {
        ("Conversation", "message") => "(seq:1)",
        ("Message", "readStatus") => "(userId:$owner)",
        ("Viewer", "friendRequests") => "(direction:RECEIVED)",
        _ => "",
    };
    let leads_to = field.ty.node.to_string();
    let leads_to = leads_to.trim_matches(['[', ']', '!']);
    let selection = match types.get(leads_to) {
        Some(_) if leads_to.ends_with("Connection") => "{edges{node{__typename}}}",
        Some(fields) if fields.iter().any(|field| field.name.node == "id") => "{id}",
        Some(_) => "{__typename}",
        None => "",
    };
    format!("{}{arguments}{selection}", field.name.node)
}

/// What somebody sees of something through `node`; nothing when it is hidden from them.
async fn look(cast: &Cast, who: Who, thing: &Thing, selection: &str) -> Option<Value> {
    let document = format!(
        "query($id:ID!$owner:ID!){{node(id:$id){{...on {}{{seen:{selection}}}}} unused:user(by:{{id:$owner}}){{id}}}}",
        thing.of
    );
    let variables = json!({"id": thing.id, "owner": cast.id(Who::Owner)});
    let reply = cast.client(who).query(&document, variables).await;
    let node = reply.at("/node");
    (!node.is_null()).then(|| node["seen"].clone())
}

#[test]
fn every_field_has_a_row() {
    let mut fields = BTreeSet::new();
    for (of, of_type) in types() {
        let is_carrier =
            of.ends_with("Payload") || of.ends_with("Connection") || of.ends_with("Edge");
        if !is_carrier && of != "Mutation" {
            fields.extend(
                of_type
                    .iter()
                    .map(|field| format!("{of}.{}", field.name.node)),
            );
        }
    }
    let rows: BTreeSet<_> = FIELDS
        .iter()
        .map(|(field, _)| (*field).to_owned())
        .collect();
    assert_eq!(rows, fields, "each field says in rows.rs who sees it");
    for (row, shown) in FIELDS {
        let (_, field) = row.split_once('.').expect("a field");
        if let Shown::Elsewhere(file) = shown {
            let path = format!("{}/tests/it/{file}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).expect("a file of tests");
            assert!(text.contains(field), "{file} does not ask for {row}");
        }
    }
}

#[test]
fn what_carries_objects_carries_nothing_else() {
    for (of, fields) in types() {
        let names: BTreeSet<_> = fields
            .iter()
            .map(|field| field.name.node.as_str())
            .collect();
        let allowed: &[&str] = if of.ends_with("Connection") {
            &["edges", "pageInfo", "totalCount"]
        } else if of.ends_with("Edge") {
            &["cursor", "node"]
        } else {
            continue;
        };
        let others: Vec<_> = names
            .iter()
            .filter(|name| !allowed.contains(name))
            .collect();
        assert!(others.is_empty(), "{of} has {others:?}");
    }
}

/// Every object through `node`, `nodes`, the field for its type and the lists it is an edge of.
#[tokio::test]
async fn what_is_private_is_there_for_those_who_may_see_it_whatever_the_way() {
    let app = TestApp::start().await;
    let cast = Cast::assemble(&app).await;
    let ids: Vec<_> = cast.things.iter().map(|thing| &thing.id).collect();
    for who in EVERYBODY {
        let client = cast.client(who);
        let all = "query($i:[ID!]!){nodes(ids:$i){__typename id}}";
        let nodes = client.query(all, json!({ "i": ids })).await;
        for (n, thing) in cast.things.iter().enumerate() {
            let expected = thing.seen_by.contains(&who);
            let (of, name) = (thing.of, thing.name);
            let node = nodes.at(&format!("/nodes/{n}"));
            assert_eq!(
                !node.is_null(),
                expected,
                "{who:?} through nodes: {of} {name}"
            );
            let seen = look(&cast, who, thing, "__typename").await;
            assert_eq!(
                seen,
                expected.then(|| json!(of)),
                "{who:?} through node: {name}"
            );
            if of == "Conversation" {
                let document = "query($id:ID!){conversation(id:$id){id}}";
                let reply = client.query(document, json!({"id": thing.id})).await;
                let is_there = !reply.at("/conversation").is_null();
                assert_eq!(is_there, expected, "{who:?} through conversation: {name}");
            }
        }
        if who != Who::Anonymous {
            edges(&cast, who).await;
        }
    }
}

/// What somebody's lists hold: nothing that is hidden from them, and everything that is theirs.
async fn edges(cast: &Cast, who: Who) {
    let document = "{viewer{conversations(first:10){pageInfo{startCursor endCursor hasNextPage hasPreviousPage} edges{node{id lastMessage{id} messages{edges{node{id conversation{id}}}}
        members{edges{node{id conversation{id}}}} viewerMembership{id}}}} friends{edges{node{id}}} blocks{edges{node{id}}}
        sent:friendRequests(direction:SENT,status:null){edges{node{id}}}
        received:friendRequests(direction:RECEIVED,status:null){edges{node{id}}} sessions{id}}
        channels{edges{node{id lastMessage{id} members{edges{node{id}}}}}}}";
    let reply = cast.client(who).query(document, json!({})).await;
    let shown = reply.0.to_string();
    for thing in cast.things.iter().filter(|thing| thing.of != "User") {
        let is_shown = shown.contains(&thing.id);
        let expected = thing.seen_by.contains(&who) && thing.of != "Viewer";
        assert_eq!(
            is_shown, expected,
            "{who:?} in lists: {} {}",
            thing.of, thing.name
        );
    }
}

/// Every field of every object that can be had by its identifier, for everybody.
#[tokio::test]
async fn each_field_is_seen_by_those_of_its_row_and_by_nobody_else() {
    let app = TestApp::start().await;
    let cast = Cast::assemble(&app).await;
    let types = types();
    let mut checked = 0;
    for thing in &cast.things {
        for field in &types[thing.of] {
            let name = format!("{}.{}", thing.of, field.name.node);
            let (_, shown) = FIELDS.iter().find(|(row, _)| *row == name).expect("a row");
            let mut first: Option<Value> = None;
            for who in EVERYBODY {
                let at = format!("{who:?}: {name} of {}", thing.name);
                let seen = look(&cast, who, thing, &asked(&types, thing.of, field)).await;
                assert_eq!(seen.is_some(), thing.seen_by.contains(&who), "{at}");
                checked += 1;
                let Some(seen) = seen else { continue };
                match shown {
                    Shown::ToAllAlike => {
                        let first = first.get_or_insert_with(|| seen.clone());
                        assert_eq!(&seen, first, "{at}");
                    }
                    Shown::ToEachTheirOwn => assert!(!seen.is_null(), "{at}"),
                    Shown::Only(people) => {
                        let expected = people(thing.name).contains(&who);
                        assert_eq!(!seen.is_null(), expected, "{at}: {seen}");
                    }
                    Shown::Elsewhere(test) => panic!("{name} has a row in {test}"),
                }
            }
        }
    }
    assert!(checked > 500, "{checked}");
}

/// What lies between the viewer and others is the viewer's: nothing that others hold against them is in it.
#[tokio::test]
async fn a_relationship_shows_nothing_that_others_hold() {
    let app = TestApp::start().await;
    let cast = Cast::assemble(&app).await;
    let document =
        "query($id:ID!){user(by:{id:$id}){viewerRelationship{status block{id} friendship{id}
        pendingRequest{id} requestHistory{edges{node{id}}}}}}";
    for (who, whom, status) in [
        (Who::Owner, Who::Blocked, "BLOCKED"),
        (Who::Blocked, Who::Owner, "NONE"),
        (Who::Owner, Who::Stranger, "REQUEST_RECEIVED"),
        (Who::Stranger, Who::Owner, "REQUEST_SENT"),
        (Who::Member, Who::Owner, "FRIENDS"),
        (Who::Member, Who::Stranger, "NONE"),
        (Who::Banned, Who::Owner, "FRIENDS"),
    ] {
        let reply = cast
            .client(who)
            .query(document, json!({"id": cast.id(whom)}))
            .await;
        let seen = reply.at("/user/viewerRelationship");
        assert_eq!(seen["status"], status, "{who:?} of {whom:?}");
        assert_eq!(!seen["block"].is_null(), status == "BLOCKED");
        assert_eq!(!seen["friendship"].is_null(), status == "FRIENDS");
        assert_eq!(
            !seen["pendingRequest"].is_null(),
            status.starts_with("REQUEST")
        );
    }
    for (who, whom) in [(Who::Anonymous, Who::Owner), (Who::Owner, Who::Owner)] {
        let id = json!({"id": cast.id(whom)});
        let reply = cast.client(who).query(document, id).await;
        assert!(reply.at("/user/viewerRelationship").is_null());
    }
}

/// Subscriptions open for those who may hear, and tell the others nothing.
#[tokio::test]
async fn streams_open_for_those_who_may_hear() {
    let app = TestApp::start().await;
    let cast = Cast::assemble(&app).await;
    let typing = "subscription($c:ID!){typing(conversationIds:[$c]){conversation{id} count expiresInMs users{id}}}";
    let messages = "subscription($c:ID!){messageSent(conversationId:$c,afterSeq:0){seq}}";
    for thing in cast
        .things
        .iter()
        .filter(|thing| thing.of == "Conversation")
    {
        for who in EVERYBODY {
            for document in [typing, messages] {
                let mut socket = cast.client(who).socket().await;
                socket
                    .subscribe("1", document, json!({"c": thing.id}))
                    .await;
                let heard = socket.hear().await;
                let opens = heard["type"] == "next";
                let expected = thing.seen_by.contains(&who);
                assert_eq!(opens, expected, "{who:?}: {} {heard}", thing.name);
            }
        }
    }
    let presence = "subscription($u:ID!){presence(userIds:[$u]){id status lastSeenAt user{id}}}";
    for who in EVERYBODY {
        let mut socket = cast.client(who).socket().await;
        let owner = json!({"u": cast.id(Who::Owner)});
        socket.subscribe("1", presence, owner).await;
        let heard = socket.hear().await;
        let expected = rows::friends_of_owner("").contains(&who);
        assert_eq!(heard["type"] == "next", expected, "{who:?}: {heard}");
    }
}

/// The words of `viewerCan` mean the actions of the table in src/model/standing.rs.
#[tokio::test]
async fn what_somebody_can_do_is_told_for_every_standing() {
    let app = TestApp::start().await;
    let cast = Cast::assemble(&app).await;
    let document = "query($c:ID!){conversation(id:$c){viewerCan{addMembers archive changeRoles delete join leave
        removeMembers send sendRefusal update}}}";
    let all = [
        "addMembers",
        "archive",
        "changeRoles",
        "delete",
        "join",
        "leave",
        "removeMembers",
        "send",
        "update",
    ];
    let owner = [
        "addMembers",
        "archive",
        "changeRoles",
        "delete",
        "removeMembers",
        "send",
        "update",
    ];
    let admin = [
        "addMembers",
        "archive",
        "leave",
        "removeMembers",
        "send",
        "update",
    ];
    let rows: [(&str, Who, &[&str], Value); 8] = [
        ("group", Who::Owner, &owner, json!(null)),
        ("group", Who::Admin, &admin, json!(null)),
        (
            "group",
            Who::Member,
            &["addMembers", "leave", "send"],
            json!(null),
        ),
        ("channel", Who::Admin, &admin[1..], json!(null)),
        ("channel", Who::Member, &["leave", "send"], json!(null)),
        ("channel", Who::Stranger, &["join"], json!("FORBIDDEN")),
        ("direct", Who::Member, &["send"], json!(null)),
        ("read-only direct", Who::Blocked, &[], json!("NOT_FRIENDS")),
    ];
    for (name, who, can, refusal) in rows {
        let place = cast
            .things
            .iter()
            .find(|thing| thing.of == "Conversation" && thing.name == name)
            .expect("a conversation");
        let reply = cast
            .client(who)
            .query(document, json!({"c": place.id}))
            .await;
        let told = reply.at("/conversation/viewerCan");
        for action in all {
            assert_eq!(
                told[action],
                can.contains(&action),
                "{who:?} {action} in {name}"
            );
        }
        assert_eq!(told["sendRefusal"], refusal, "{who:?} in {name}");
    }
}
