//! Putting groups away: archiving, taking them out again, deleting.

use serde_json::json;

use crate::support::{Client, Reply, TestApp};

async fn put_away(who: &Client, field: &str, group: &str) -> Reply {
    let selection = match field {
        "deleteConversation" => "deletedConversationId",
        _ => "conversation{id archivedAt viewerCan{send sendRefusal addMembers archive leave}}",
    };
    who.mutate(field, selection, json!({ "conversationId": group }))
        .await
}

async fn listed(who: &Client, archived: bool) -> usize {
    let document = "query($a:Boolean!){viewer{conversations(archived:$a){edges{node{id}}}}}";
    let list = who.query(document, json!({ "a": archived })).await;
    list.at("/viewer/conversations/edges")
        .as_array()
        .expect("edges")
        .len()
}

#[tokio::test]
async fn an_archived_group_is_read_and_not_written_to() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob]).await;
    let sent = bob.send(&group, "before", Some("key-1")).await;
    put_away(&bob, "archiveConversation", &group)
        .await
        .is_refused("FORBIDDEN", "");
    put_away(&carol, "archiveConversation", &group)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    let archived = put_away(&alice, "archiveConversation", &group).await;
    let can = json!({"send": false, "sendRefusal": "ARCHIVED", "addMembers": false, "archive": true, "leave": false});
    assert_eq!(archived.at("/conversation/viewerCan"), &can);
    let again = put_away(&alice, "archiveConversation", &group).await;
    assert_eq!(
        again.at("/conversation/archivedAt"),
        archived.at("/conversation/archivedAt"),
        "what is so stays so"
    );

    bob.send(&group, "after", None)
        .await
        .is_refused("ARCHIVED", "");
    let retried = bob.send(&group, "before", Some("key-1")).await;
    assert_eq!(
        retried.at("/messageEdge"),
        sent.at("/messageEdge"),
        "a retry still gives its message"
    );
    let add = json!({"conversationId": group, "userIds": [carol.id]});
    alice
        .mutate("addMembers", "conversation{id}", add)
        .await
        .is_refused("ARCHIVED", "");
    assert_eq!(bob.texts(&group).await, ["before"]);
    let read = json!({"conversationId": group, "seq": 1});
    assert_eq!(
        alice
            .mutate("markRead", "membership{readSeq}", read)
            .await
            .refusals(),
        []
    );
    assert_eq!(
        (listed(&bob, false).await, listed(&bob, true).await),
        (0, 1)
    );

    let back = put_away(&alice, "unarchiveConversation", &group).await;
    assert!(back.at("/conversation/archivedAt").is_null());
    assert_eq!(bob.say(&group, "again").await, 2);
    assert_eq!(
        (listed(&bob, false).await, listed(&bob, true).await),
        (1, 0)
    );
}

#[tokio::test]
async fn what_is_unread_in_the_archive_does_not_count() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    alice.say(&group, "hello").await;
    let unread = || bob.query("{viewer{unreadCount}}", json!({}));
    assert_eq!(unread().await.number("/viewer/unreadCount"), 1);
    put_away(&alice, "archiveConversation", &group).await;
    assert_eq!(unread().await.number("/viewer/unreadCount"), 0);
    put_away(&alice, "unarchiveConversation", &group).await;
    assert_eq!(unread().await.number("/viewer/unreadCount"), 1);
}

#[tokio::test]
async fn a_deleted_group_is_gone_for_everybody_at_once() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let message = alice
        .send(&group, "hello", None)
        .await
        .text("/messageEdge/node/id");
    let mut his = bob.socket().await;
    his.follow("b", &group, None).await;
    put_away(&bob, "deleteConversation", &group)
        .await
        .is_refused("FORBIDDEN", "");
    let deleted = put_away(&alice, "deleteConversation", &group).await;
    assert_eq!(deleted.text("/deletedConversationId"), group);
    assert_eq!(his.hear().await, json!({"id": "b", "type": "complete"}));
    put_away(&alice, "deleteConversation", &group)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    alice
        .send(&group, "anybody?", None)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    let nodes = "query($ids:[ID!]!){nodes(ids:$ids){id}}";
    let seen = alice.query(nodes, json!({"ids": [group, message]})).await;
    assert_eq!(seen.at("/nodes"), &json!([null, null]));
    assert_eq!(
        (listed(&alice, false).await, listed(&bob, false).await),
        (0, 0)
    );
}
