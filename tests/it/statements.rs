//! What a request costs the database: a number of statements that does not grow with what it shows.

use serde_json::{Value, json};

use crate::support::{Client, TestApp, until};

/// Of the page of conversations below: one for each field that looks something up, three for a relationship; fewer where
/// look-ups meet.
const FIELDS: u64 = 23;

/// Runs a query on a server that has just started, so that nothing is in memory; how many statements it took.
async fn cost(app: TestApp, who: &Client, document: &str, variables: Value) -> (TestApp, u64) {
    let app = app.restart().await;
    // What it reads by itself when it starts: where the log stands, and whether an account is to be ended.
    until(|| async { (app.store.statements() >= 2).then_some(()) }).await;
    let before = app.store.statements();
    let reply = who.at(&app.url).query(document, variables).await;
    let spent = app.store.statements() - before;
    println!("{spent} statements for {} bytes", reply.0.to_string().len());
    (app, spent)
}

#[tokio::test]
async fn a_page_of_fifty_takes_no_more_statements_than_its_fields() {
    let mut app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let mut people = Vec::new();
    for n in 0..10 {
        people.push(app.sign_up(&format!("p_{n}")).await);
    }
    for n in 0..50 {
        let members = [&people[n % 10], &people[(n + 3) % 10]];
        let conversation = match n % 5 {
            0 => alice.channel(&format!("Channel {n}")).await,
            _ => alice.group(&format!("Group {n}"), &members).await,
        };
        let speaker = if n % 5 == 0 { &alice } else { members[0] };
        speaker.say(&conversation, "hello").await;
    }
    let document = "query($n:Int$u:ID!){viewer{unreadCount user{handle} conversations(first:$n){edges{node{
        title lastMessage{text sender{handle displayName} viewerReadStatus readBy(first:3){edges{node{user{handle}}}}}
        viewerUnreadCount viewerMembership{role} viewerCan{send} peer{handle}
        members(first:3){edges{node{role readSeq user{handle viewerRelationship{status}}}}}
        messages(last:2){edges{node{seq sender{handle} conversation{id} readStatus(userId:$u)}}}}}}}}";
    for n in [1, 10, 31, 50] {
        let spent;
        (app, spent) = cost(app, &alice, document, json!({"n": n, "u": people[0].id})).await;
        assert!(spent <= FIELDS, "{spent} for {n}");
    }

    let ids = "{viewer{conversations(first:50){edges{node{id lastMessage{id} viewerMembership{user{id}}}}}}}";
    let shown = alice.at(&app.url).query(ids, json!({})).await;
    let edges = shown.at("/viewer/conversations/edges").as_array();
    let ids: Vec<_> = edges
        .expect("edges")
        .iter()
        .flat_map(|edge| [&edge["node"]["id"], &edge["node"]["lastMessage"]["id"]])
        .collect();
    let document = "query($i:[ID!]!){nodes(ids:$i){id ...on Message{sender{id}}}}";
    let (few, many);
    (app, few) = cost(app, &alice, document, json!({"i": ids[..2]})).await;
    (app, many) = cost(app, &alice, document, json!({"i": ids})).await;
    assert!(many <= few + 1, "{many} for a hundred, {few} for two");

    let document = "query($n:Int){users(search:\"p_\",first:$n){edges{node{handle viewerRelationship{status friendship{friend{handle}}}}}}}";
    let (few, many);
    (app, few) = cost(app, &alice, document, json!({"n": 1})).await;
    (_, many) = cost(app, &alice, document, json!({"n": 10})).await;
    assert_eq!(many, few);
}
