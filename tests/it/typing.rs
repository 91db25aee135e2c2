//! Who is typing: told soon, not often, and gone by itself.

use std::time::{Duration, Instant};

use parlor::model::Limits;
use serde_json::{Value, json};

use crate::support::{Client, Reply, Socket, TestApp};

const TYPING: &str = "subscription($c:[ID!]!){typing(conversationIds:$c){conversation{id} count expiresInMs users{handle}}}";

async fn types(who: &Client, conversation: &str, is_typing: bool) -> Reply {
    let input = json!({"conversationId": conversation, "isTyping": is_typing});
    who.mutate("setTyping", "conversation{id}", input).await
}

async fn watch(who: &Client, conversations: &[&str]) -> Socket {
    let mut socket = who.socket().await;
    socket
        .subscribe("t", TYPING, json!({ "c": conversations }))
        .await;
    socket
}

/// The next state: who types, and for how long it is to be shown.
async fn state(socket: &mut Socket) -> (Vec<String>, i64) {
    let heard = socket.hear().await;
    assert_eq!(heard["type"], "next", "{heard}");
    let state = &heard["payload"]["data"]["typing"];
    let handle = |user: &Value| user["handle"].as_str().expect("a handle").to_owned();
    let users: Vec<_> = state["users"]
        .as_array()
        .unwrap_or_else(|| panic!("{heard}"))
        .iter()
        .map(handle)
        .collect();
    assert_eq!(state["count"], json!(users.len()));
    (users, state["expiresInMs"].as_i64().expect("a number"))
}

fn quick() -> Limits {
    Limits {
        typing_told_every: Duration::ZERO,
        // What ends here does not end by itself.
        typing_lives: Duration::from_hours(1),
        rate_limits: false,
        ..Limits::default()
    }
}

#[tokio::test]
async fn others_see_who_types_and_the_typer_does_not() {
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob, &carol]).await;
    let (mut hers, mut his) = (watch(&alice, &[&group]).await, watch(&bob, &[&group]).await);
    assert_eq!(
        state(&mut hers).await,
        (vec![], 0),
        "the current state first"
    );
    assert_eq!(state(&mut his).await, (vec![], 0));
    assert_eq!(
        types(&bob, &group, true).await.text("/conversation/id"),
        group
    );
    let (users, expires) = state(&mut hers).await;
    assert_eq!(users, ["bob"]);
    assert!((1..=3_600_000).contains(&expires), "{expires}");
    types(&carol, &group, true).await;
    assert_eq!(state(&mut hers).await.0, ["bob", "carol"]);
    assert_eq!(state(&mut his).await.0, ["carol"], "oneself is left out");
    let mut late = watch(&carol, &[&group]).await;
    assert_eq!(state(&mut late).await.0, ["bob"]);
    types(&bob, &group, false).await;
    assert_eq!(state(&mut hers).await.0, ["carol"], "an explicit stop");
    carol.say(&group, "done").await;
    assert_eq!(state(&mut hers).await, (vec![], 0), "a message ends it");
}

#[tokio::test]
async fn typing_ends_with_a_disconnect_and_by_itself() {
    let limits = Limits {
        typing_lives: Duration::from_secs(2),
        typing_refresh: Duration::from_secs(1),
        ..quick()
    };
    let app = TestApp::start_with(limits).await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let mut hers = watch(&alice, &[&group]).await;
    assert_eq!(state(&mut hers).await.0, [""; 0]);
    types(&bob, &group, true).await;
    assert_eq!(state(&mut hers).await.0, ["bob"]);
    assert_eq!(
        state(&mut hers).await.0,
        [""; 0],
        "after silence it is gone"
    );
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob, &carol]).await;
    let mut hers = watch(&alice, &[&group]).await;
    assert_eq!(state(&mut hers).await.0, [""; 0]);
    let (one, other) = (bob.socket().await, bob.socket().await);
    types(&bob, &group, true).await;
    assert_eq!(state(&mut hers).await.0, ["bob"]);
    drop(one);
    types(&carol, &group, true).await;
    assert_eq!(state(&mut hers).await.0, ["bob", "carol"]);
    drop(other);
    assert_eq!(
        state(&mut hers).await.0,
        ["carol"],
        "with the last of his devices"
    );
}

#[tokio::test]
async fn nobody_types_where_they_may_not_write() {
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob]).await;
    let channel = alice.channel("Cats").await;
    types(&carol, &group, true)
        .await
        .is_refused("NOT_FOUND", "conversationId");
    types(&carol, &channel, true)
        .await
        .is_refused("FORBIDDEN", "");
    let closed = json!({"conversationId": group, "postingPolicy": "ADMINS"});
    alice
        .mutate("updateConversation", "conversation{id}", closed)
        .await;
    types(&bob, &group, true).await.is_refused("FORBIDDEN", "");
    assert_eq!(
        types(&bob, &group, false).await.refusals(),
        [],
        "to stop is always right"
    );
    let direct = alice.direct(&bob).await;
    let friend = json!({"userId": bob.id});
    alice
        .mutate("removeFriend", "user{id}", friend.clone())
        .await;
    types(&bob, &direct, true)
        .await
        .is_refused("NOT_FRIENDS", "");
    let archived = json!({"conversationId": group});
    alice
        .mutate("archiveConversation", "conversation{id}", archived)
        .await;
    types(&alice, &group, true).await.is_refused("ARCHIVED", "");
    let document = "mutation($i:SetTypingInput!){setTyping(input:$i){userErrors{code}}}";
    let input = json!({"i": {"conversationId": group, "isTyping": true}});
    let anonymous = app.anonymous().run(document, input).await;
    assert_eq!(anonymous.codes(), ["UNAUTHENTICATED"]);
}

#[tokio::test]
async fn who_leaves_types_no_more_and_who_is_removed_sees_nobody_type() {
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob, &carol]).await;
    let other = alice.group("Talks", &[&bob]).await;
    let mut hers = watch(&alice, &[&group]).await;
    let mut his = watch(&bob, &[&group, &other]).await;
    state(&mut hers).await;
    state(&mut his).await;
    state(&mut his).await;
    types(&bob, &group, true).await;
    assert_eq!(state(&mut hers).await.0, ["bob"]);
    let remove = json!({"conversationId": group, "userId": bob.id});
    alice
        .mutate("removeMember", "removedMembershipId", remove)
        .await;
    assert_eq!(state(&mut hers).await.0, [""; 0]);
    types(&carol, &group, true).await;
    assert_eq!(state(&mut hers).await.0, ["carol"]);
    types(&alice, &other, true).await;
    let (users, _) = state(&mut his).await;
    assert_eq!(
        users,
        ["alice"],
        "he heard nothing of the group that he was removed from"
    );
    let leave = json!({"conversationId": other});
    bob.mutate("leaveConversation", "leftConversationId", leave)
        .await;
    assert_eq!(
        his.hear().await,
        json!({"type": "complete", "id": "t"}),
        "nothing is left to watch"
    );
}

#[tokio::test]
async fn what_may_not_be_seen_is_left_out() {
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let group = alice.group("Walks", &[&bob]).await;
    let channel = alice.channel("Cats").await;
    let mut socket = watch(&carol, &[&group, &channel, "nothing"]).await;
    assert_eq!(state(&mut socket).await.0, [""; 0]);
    types(&bob, &group, true).await;
    types(&alice, &channel, true).await;
    assert_eq!(
        state(&mut socket).await.0,
        ["alice"],
        "readers of a channel see it"
    );
    let mut nothing = watch(&carol, &[&group]).await;
    assert_eq!(nothing.hear().await, json!({"type": "complete", "id": "t"}));
    let many: Vec<_> = (0..51).map(|_| group.as_str()).collect();
    let mut too_many = watch(&bob, &many).await;
    let refused = too_many.hear().await;
    assert_eq!(
        refused["payload"][0]["extensions"]["code"],
        "BAD_USER_INPUT"
    );
    let mut anonymous = watch(&app.anonymous(), &[&channel]).await;
    let refused = anonymous.hear().await;
    assert_eq!(
        refused["payload"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn the_end_of_a_friendship_or_an_account_ends_typing_too() {
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let direct = alice.direct(&bob).await;
    for (field, again) in [("removeFriend", true), ("blockUser", false)] {
        let mut hers = watch(&alice, &[&direct]).await;
        assert_eq!(state(&mut hers).await.0, [""; 0]);
        types(&bob, &direct, true).await;
        assert_eq!(state(&mut hers).await.0, ["bob"]);
        alice
            .mutate(field, "__typename", json!({"userId": bob.id}))
            .await;
        assert_eq!(state(&mut hers).await.0, [""; 0], "{field}");
        if again {
            alice.befriend(&bob).await;
        }
    }
    let mut hers = watch(&alice, &[&group]).await;
    assert_eq!(state(&mut hers).await.0, [""; 0]);
    types(&bob, &group, true).await;
    assert_eq!(state(&mut hers).await.0, ["bob"]);
    let password = json!({"password": crate::support::PASSWORD});
    bob.mutate("deleteAccount", "deletedUserId", password).await;
    assert_eq!(state(&mut hers).await.0, [""; 0]);
}

#[tokio::test]
async fn a_changed_password_closes_the_streams_of_other_devices() {
    let app = TestApp::start_with(quick()).await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let login = json!({"handle": "bob", "password": crate::support::PASSWORD});
    let token = app.anonymous().mutate("logIn", "token{value}", login).await;
    let other = Client::new(&app.url, Some(&token.text("/token/value")));
    let (mut kept, mut closed) = (watch(&bob, &[&group]).await, watch(&other, &[&group]).await);
    state(&mut kept).await;
    state(&mut closed).await;
    let change =
        json!({"currentPassword": crate::support::PASSWORD, "newPassword": "another long one"});
    bob.mutate("changePassword", "viewer{id}", change).await;
    types(&alice, &group, true).await;
    assert_eq!(closed.hear().await, json!({"type": "complete", "id": "t"}));
    assert_eq!(closed.end().await, Some(4403));
    assert_eq!(
        state(&mut kept).await.0,
        ["alice"],
        "the device that changed it hears on"
    );
}

/// The published figures: told at most once a second, gone after six.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_reaches_others_once_a_second_and_costs_nobody_an_error() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let mut hers = watch(&alice, &[&group]).await;
    assert_eq!(state(&mut hers).await, (vec![], 0));
    let began = Instant::now();
    let flood = tokio::spawn(async move {
        let mut socket = bob.socket().await;
        let document = "mutation($i:SetTypingInput!){setTyping(input:$i){userErrors{code}}}";
        let (mut said, mut answered) = (0_u32, 0_u32);
        while began.elapsed() < Duration::from_secs(4) {
            // As fast as it is answered: beginning, stopping, and saying the same again.
            for _ in 0..30 {
                let input = json!({"conversationId": group, "isTyping": said % 3 != 1});
                socket
                    .subscribe(&said.to_string(), document, json!({ "i": input }))
                    .await;
                said += 1;
            }
            while answered < said {
                let heard = socket.hear().await;
                if heard["type"] == "next" {
                    assert_eq!(
                        heard["payload"]["data"]["setTyping"]["userErrors"],
                        json!([])
                    );
                }
                answered += u32::from(heard["type"] == "complete");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let input = json!({"conversationId": group, "isTyping": true});
        socket
            .subscribe("last", document, json!({ "i": input }))
            .await;
        let last = Instant::now();
        // He stays connected and says nothing more.
        (socket, said, last)
    });
    // What is told is noted until long after the last word has run out: an empty state from
    // the flood itself may be told late, so only silence shows which was the last.
    let mut told = vec![(began, vec![])];
    let silence = tokio::time::Instant::from(began) + Duration::from_secs(4 + 6 + 3);
    while let Ok((users, _)) = tokio::time::timeout_at(silence, state(&mut hers)).await {
        told.push((Instant::now(), users));
    }
    let (_socket, said, last) = flood.await.expect("the flood");
    let (gone, users) = told.last().expect("something was told");
    let gone = *gone;
    assert_eq!(users[..], [""; 0], "in the end nobody types");
    let seconds = usize::try_from((gone - began).as_secs()).expect("few");
    println!(
        "typing: {said} said in four seconds, {} times told in {seconds}, gone {:?} after the last",
        told.len(),
        gone - last
    );
    assert!(told.len() <= seconds + 3, "{} in {seconds} s", told.len());
    assert!(said > 1_000, "that was no flood: {said}");
    assert!(
        gone - last >= Duration::from_millis(2_900),
        "{:?}",
        gone - last
    );
}
