//! From the second time on an operation is executed without what the library does before: the same is told, and what is
//! done is done once.

use parlor::model::Limits;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

#[tokio::test]
async fn who_asks_again_is_told_the_same() {
    let app = TestApp::start_with(Limits {
        introspection: true,
        ..Limits::default()
    })
    .await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    alice.say(&group, "hello").await;
    let documents = [
        "query($c:ID!){conversation(id:$c){...C ...@include(if:true){kind}}} fragment C on Conversation{title messages(last:5){edges{node{text sender{handle}}}}}",
        "query($c:ID!){a:conversation(id:$c){title} b:conversation(id:$c){lastSeq} viewer{user{handle}}}",
        "query($c:ID!){conversation(id:$c){title messages(first:1000){edges{node{id}}}}}",
        "query($c:ID!){node(id:$c){__typename ...on Conversation{title}}}",
        "query($c:ID!){__typename conversation(id:$c){__typename}}",
        "{__schema{queryType{name}} __type(name:\"Message\"){name}}",
        "{conversation(id:\"nothing\"){id}}",
    ];
    for document in documents {
        let first = alice.run(document, json!({"c": group})).await;
        assert_ne!(first.at("/data"), &Value::Null, "{document}: {first:?}");
        for _ in 0..2 {
            let again = alice.run(document, json!({"c": group})).await;
            assert_eq!(again.0, first.0, "{document}");
        }
        let stranger = app.sign_up(&format!("dave{}", document.len())).await;
        let seen = stranger.run(document, json!({"c": group})).await;
        assert!(!format!("{seen:?}").contains("Walks"), "{document}");
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_told_whole_is_sent_once() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let document = "mutation($i:SendMessageInput!){sendMessage(input:$i){messageEdge{node{seq conversation{title messages(first:1000){edges{node{id}}}}}} wasDuplicate userErrors{code}}}";
    for seq in 1..=3 {
        let input = json!({"conversationId": group, "text": format!("{seq}")});
        let reply = alice.run(document, json!({ "i": input })).await;
        assert_eq!(reply.codes(), ["BAD_USER_INPUT"]);
        let path = json!([
            "sendMessage",
            "messageEdge",
            "node",
            "conversation",
            "messages"
        ]);
        assert_eq!(reply.at("/errors/0/path"), &path);
        let node = json!({"seq": seq, "conversation": {"title": "Walks", "messages": null}});
        let payload =
            json!({"messageEdge": {"node": node}, "wasDuplicate": false, "userErrors": []});
        assert_eq!(reply.at("/data/sendMessage"), &payload);
    }
    assert_eq!(alice.texts(&group).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn two_messages_in_one_request_are_two() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let document = "mutation($i:SendMessageInput!,$j:SendMessageInput!){a:sendMessage(input:$i){messageEdge{node{text}}} b:sendMessage(input:$j){messageEdge{node{text}}}}";
    let input = |text: &str| json!({"conversationId": group, "text": text});
    for _ in 0..2 {
        let variables = json!({"i": input("one"), "j": input("two")});
        let reply = alice.query(document, variables).await;
        assert_eq!(reply.text("/a/messageEdge/node/text"), "one");
        assert_eq!(reply.text("/b/messageEdge/node/text"), "two");
    }
    assert_eq!(alice.texts(&group).await, ["one", "two", "one", "two"]);
}

#[tokio::test]
async fn who_may_not_send_hears_why_each_time() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[]).await;
    let document = "mutation($i:SendMessageInput!){sendMessage(input:$i){messageEdge{node{seq}} userErrors{code inputPath}}}";
    let input = |text: &str| json!({"i": {"conversationId": group, "text": text}});
    for _ in 0..3 {
        alice.query(document, input("hello")).await;
        let bob_s = bob.query(document, input("let me in")).await;
        assert_eq!(bob_s.text("/sendMessage/userErrors/0/code"), "NOT_FOUND");
        let empty = alice.query(document, input(" ")).await;
        assert_eq!(
            empty.at("/sendMessage/userErrors/0/inputPath"),
            &json!(["text"])
        );
        let nobody = Client::new(&app.url, None)
            .run(document, input("hello"))
            .await;
        assert_eq!(nobody.codes(), ["UNAUTHENTICATED"]);
        assert_eq!(nobody.at("/errors/0/path"), &json!(["sendMessage"]));
        assert_eq!(nobody.at("/data"), &json!({"sendMessage": null}));
    }
    assert_eq!(alice.texts(&group).await, ["hello"; 3]);
}

#[tokio::test]
async fn what_was_cheap_is_counted_again_when_its_variables_change() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    let pages = "query($c:ID!$n:Int){conversation(id:$c){messages(first:$n){edges{node{conversation{messages(first:$n){edges{node{id}}}}}}}}}";
    let named = "query($i:[ID!]!){nodes(ids:$i){...on Conversation{messages(first:100){edges{node{text}}}}}}";
    for _ in 0..2 {
        let small = alice.run(pages, json!({"c": group, "n": 1})).await;
        assert_eq!(small.codes(), [""; 0], "{small:?}");
        let few = alice.run(named, json!({"i": [group]})).await;
        assert_eq!(few.codes(), [""; 0], "{few:?}");
    }
    let wide = alice.run(pages, json!({"c": group, "n": 100})).await;
    assert_eq!(wide.codes(), ["QUERY_REJECTED"]);
    let many = alice.run(named, json!({"i": vec![&group; 50]})).await;
    assert_eq!(many.codes(), ["QUERY_REJECTED"]);
}
