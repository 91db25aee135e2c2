//! Channels: found, read, joined, left; and who may not come back.

use serde_json::{Value, json};

use crate::support::{Client, Reply, TestApp, socket::FOLLOW};

async fn titles(who: &Client, search: Option<&str>) -> Vec<String> {
    let document = "query($s:String){channels(search:$s){edges{node{title}}}}";
    let found = who.query(document, json!({ "s": search })).await;
    let edges = found.at("/channels/edges").as_array().expect("edges");
    let title = |edge: &Value| edge["node"]["title"].as_str().expect("a title").to_owned();
    edges.iter().map(title).collect()
}

async fn remove(who: &Client, channel: &str, person: &Client, ban: bool) -> Reply {
    let input = json!({"conversationId": channel, "userId": person.id, "ban": ban});
    who.mutate("removeMember", "removedMembershipId", input)
        .await
}

async fn unban(who: &Client, channel: &str, person: &Client) -> Reply {
    let input = json!({"conversationId": channel, "userId": person.id});
    who.mutate("unbanUser", "conversation{id}", input).await
}

async fn leave(who: &Client, channel: &str) -> Reply {
    let input = json!({"conversationId": channel});
    let selection = "leftConversationId channel{id memberCount viewerMembership{id} viewerCan{join leave send}}";
    who.mutate("leaveConversation", selection, input).await
}

async fn sees(who: &Client, channel: &str) -> bool {
    let document = "query($c:ID!){conversation(id:$c){id}node(id:$c){id}nodes(ids:[$c]){id}}";
    let seen = who.query(document, json!({ "c": channel })).await;
    let ways = ["/conversation", "/node", "/nodes/0"].map(|way| !seen.at(way).is_null());
    assert!(ways.iter().all(|way| *way == ways[0]), "{seen:?}");
    ways[0]
}

#[tokio::test]
async fn a_channel_is_found_by_the_beginning_of_any_word_newest_message_first() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let gardens = alice.channel("Gärten & Balkone").await;
    alice.channel("Balcony gardens").await;
    alice.channel("Cats").await;
    alice.group("Garden group", &[]).await;
    app.clock.turn(10);
    alice.say(&gardens, "spring!").await;
    assert_eq!(
        titles(&bob, None).await,
        ["Gärten & Balkone", "Cats", "Balcony gardens"]
    );
    assert_eq!(
        titles(&bob, Some("BAL")).await,
        ["Gärten & Balkone", "Balcony gardens"]
    );
    assert_eq!(titles(&bob, Some("gä")).await, ["Gärten & Balkone"]);
    assert_eq!(
        titles(&bob, Some("balcony gar")).await,
        ["Balcony gardens"],
        "several words in a row"
    );
    assert_eq!(titles(&bob, Some("ats")).await, [""; 0]);
    assert_eq!(titles(&bob, Some("  ")).await.len(), 3);
    let renamed = json!({"conversationId": gardens, "title": "Wälder"});
    alice
        .mutate("updateConversation", "conversation{id}", renamed)
        .await;
    assert_eq!(titles(&bob, Some("gä")).await, [""; 0]);
    assert_eq!(titles(&bob, Some("wä")).await, ["Wälder"]);
    let put_away = json!({"conversationId": gardens});
    alice
        .mutate("archiveConversation", "conversation{id}", put_away.clone())
        .await;
    assert_eq!(
        titles(&bob, Some("wä")).await,
        [""; 0],
        "what is archived cannot be joined"
    );
    alice
        .mutate("deleteConversation", "deletedConversationId", put_away)
        .await;
    assert_eq!(titles(&bob, None).await.len(), 2);
    let document = "query($s:String$a:String){channels(search:$s,first:1,after:$a){edges{cursor node{title}}pageInfo{hasNextPage}}}";
    let first = bob.query(document, json!({"s": ""})).await;
    let cursor = first.text("/channels/edges/0/cursor");
    let second = bob.query(document, json!({"s": "", "a": cursor})).await;
    assert_eq!(
        second.text("/channels/edges/0/node/title"),
        "Balcony gardens"
    );
    assert_eq!(second.at("/channels/pageInfo/hasNextPage"), false);
    let long = bob.run(document, json!({"s": "x".repeat(101)})).await;
    assert_eq!(long.codes(), ["BAD_USER_INPUT"]);
    let anonymous = app.anonymous().run(document, json!({})).await;
    assert_eq!(anonymous.codes(), ["UNAUTHENTICATED"]);
}

#[tokio::test]
async fn anybody_reads_a_channel_and_whoever_joins_it_writes() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let channel = alice.channel("Cats").await;
    alice.say(&channel, "miaow").await;
    assert_eq!(bob.texts(&channel).await, ["miaow"]);
    let mut socket = bob.socket().await;
    socket
        .subscribe("1", FOLLOW, json!({"c": channel, "a": 0}))
        .await;
    bob.send(&channel, "woof", None)
        .await
        .is_refused("FORBIDDEN", "");
    let read = json!({"conversationId": channel, "seq": 1});
    bob.mutate("markRead", "membership{id}", read)
        .await
        .is_refused("FORBIDDEN", "");
    leave(&bob, &channel)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    let joined = bob.join(&channel).await;
    assert_eq!(
        (
            joined.text("/membership/role"),
            joined.number("/membership/readSeq")
        ),
        ("MEMBER".into(), 1)
    );
    assert_eq!(
        bob.join(&channel).await,
        joined,
        "what is so already succeeds again"
    );
    bob.say(&channel, "woof").await;
    let left = leave(&bob, &channel).await;
    let expected = json!({"id": channel, "memberCount": 1, "viewerMembership": null,
        "viewerCan": {"join": true, "leave": false, "send": false}});
    assert_eq!(left.at("/channel"), &expected);
    alice.say(&channel, "gone?").await;
    assert_eq!(
        socket.texts(3).await,
        ["miaow", "woof", "gone?"],
        "a reader hears on after leaving"
    );
}

#[tokio::test]
async fn nobody_is_added_to_a_channel_or_joins_a_group() {
    let limits = parlor::model::Limits {
        channel_members_max: 2,
        rate_limits: false,
        ..parlor::model::Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let (alice, bob) = app.alice_and_bob().await;
    let (carol, dave) = tokio::join!(app.sign_up("carol"), app.sign_up("dave"));
    alice.befriend(&bob).await;
    let channel = alice.channel("Cats").await;
    let add = json!({"conversationId": channel, "userIds": [bob.id]});
    alice
        .mutate("addMembers", "conversation{id}", add)
        .await
        .is_refused("FORBIDDEN", "");
    let group = alice.group("Walks", &[&bob]).await;
    carol
        .join(&group)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    bob.join(&group).await.is_refused("FORBIDDEN", "");
    carol
        .join(&alice.id)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    assert_eq!(carol.join(&channel).await.refusals(), []);
    dave.join(&channel).await.is_refused("LIMIT_REACHED", "");
    leave(&carol, &channel).await;
    let archived = json!({"conversationId": channel});
    alice
        .mutate("archiveConversation", "conversation{id}", archived)
        .await;
    dave.join(&channel).await.is_refused("ARCHIVED", "");
    assert!(sees(&dave, &channel).await, "it can be read all the same");
}

#[tokio::test]
async fn a_banned_person_is_shut_out_until_they_may_come_back() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let channel = alice.channel("Cats").await;
    for person in [&bob, &carol] {
        person.join(&channel).await;
    }
    let mut socket = bob.socket().await;
    socket.follow("1", &channel, None).await;
    remove(&carol, &channel, &bob, true)
        .await
        .is_refused("FORBIDDEN", "");
    assert_eq!(remove(&alice, &channel, &bob, false).await.refusals(), []);
    assert_eq!(
        bob.join(&channel).await.refusals(),
        [],
        "removed is not banned"
    );
    alice.say(&channel, "still heard").await;
    assert_eq!(socket.texts(1).await, ["still heard"]);
    assert_eq!(remove(&alice, &channel, &bob, true).await.refusals(), []);
    alice.say(&channel, "bob is gone").await;
    assert_eq!(
        socket.hear().await,
        json!({"type": "complete", "id": "1"}),
        "his stream ended with the ban, and not when he was only removed"
    );
    assert!(!sees(&bob, &channel).await);
    assert_eq!(titles(&bob, None).await, [""; 0]);
    bob.join(&channel).await.is_refused("FORBIDDEN", "");
    bob.send(&channel, "hello?", None)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    socket.subscribe("2", FOLLOW, json!({"c": channel})).await;
    assert_eq!(socket.hear().await["type"], "error");

    let bans =
        "query($c:ID!){conversation(id:$c){bans{edges{cursor node{handle}}pageInfo{hasNextPage}}}}";
    let seen = alice.query(bans, json!({ "c": channel })).await;
    assert_eq!(seen.text("/conversation/bans/edges/0/node/handle"), "bob");
    let hidden = carol.query(bans, json!({ "c": channel })).await;
    assert!(hidden.at("/conversation/bans").is_null());
    unban(&carol, &channel, &bob)
        .await
        .is_refused("FORBIDDEN", "");
    unban(&bob, &channel, &bob)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    assert_eq!(unban(&alice, &channel, &bob).await.refusals(), []);
    unban(&alice, &channel, &bob)
        .await
        .is_refused("NOT_FOUND", "userId");
    assert!(sees(&bob, &channel).await);
    assert_eq!(bob.join(&channel).await.refusals(), []);
}

#[tokio::test]
async fn a_ban_keeps_from_being_added_to_a_group_again_and_is_listed_newest_first() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob, &carol]).await;
    for person in [&bob, &carol] {
        remove(&alice, &group, person, true).await;
        app.clock.turn(10);
    }
    let add = json!({"conversationId": group, "userIds": [bob.id]});
    alice
        .mutate("addMembers", "conversation{id}", add.clone())
        .await
        .is_refused("FORBIDDEN", "userIds.0");
    bob.join(&group)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    let bans = "query($c:ID!$a:String){conversation(id:$c){bans(first:1,after:$a){edges{cursor node{handle}}pageInfo{hasNextPage}}}}";
    let first = alice.query(bans, json!({ "c": group })).await;
    assert_eq!(
        first.text("/conversation/bans/edges/0/node/handle"),
        "carol"
    );
    let cursor = first.text("/conversation/bans/edges/0/cursor");
    let second = alice.query(bans, json!({"c": group, "a": cursor})).await;
    assert_eq!(second.text("/conversation/bans/edges/0/node/handle"), "bob");
    assert_eq!(second.at("/conversation/bans/pageInfo/hasNextPage"), false);
    unban(&alice, &group, &bob).await;
    let added = alice.mutate("addMembers", "conversation{id}", add).await;
    assert_eq!(added.refusals(), []);
}

#[tokio::test]
async fn a_key_opens_nothing_to_a_maker_who_was_banned() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let input = json!({"title": "Cats", "kind": "CHANNEL", "idempotencyKey": "key-1"});
    let selection = "conversationEdge{node{id messages{edges{node{text}}}}}";
    let made = alice
        .mutate("createConversation", selection, input.clone())
        .await;
    let channel = made.text("/conversationEdge/node/id");
    bob.join(&channel).await;
    let hand_over = json!({"conversationId": channel, "userId": bob.id, "role": "OWNER"});
    alice
        .mutate("changeMemberRole", "membership{id}", hand_over)
        .await;
    remove(&bob, &channel, &alice, true).await;
    bob.say(&channel, "not for alice").await;
    // Nothing of it is in memory any more.
    let app = app.restart().await;
    let again = alice
        .at(&app.url)
        .mutate("createConversation", selection, input)
        .await;
    again.is_refused("NOT_FOUND", "");
    assert!(again.at("/conversationEdge").is_null());
}
