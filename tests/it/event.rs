//! What people hear of what happens to them while they listen.

use parlor::model::Limits;
use serde_json::json;

use crate::support::{Client, TestApp, events::in_words};

async fn act(who: &Client, field: &str, input: serde_json::Value) {
    let reply = who.mutate(field, "__typename", input).await;
    assert_eq!(reply.refusals(), [], "{field}");
}

#[tokio::test]
async fn every_member_hears_a_message_once_and_so_does_the_sender() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let stranger = app.sign_up("carol").await;
    let (mut hers, mut his) = (alice.events().await, bob.events().await);
    let mut strangers = stranger.events().await;
    let sent = alice.send(&group, "hello", None).await;
    let (to_her, to_him) = (hers.event().await, his.event().await);
    assert_eq!(to_her, to_him, "two people are told the same");
    let message = &to_him["messageEdge"]["node"];
    for field in ["id", "seq", "text", "sentAt"] {
        assert_eq!(
            message[field],
            *sent.at(&format!("/messageEdge/node/{field}")),
            "{field}"
        );
    }
    assert_eq!(to_him["occurredAt"], message["sentAt"]);
    assert_eq!(
        to_him["senderMembership"],
        json!({"readSeq": 1, "user": {"handle": "alice"}})
    );
    bob.say(&group, "hi").await;
    assert_eq!(hers.told(1).await, ["MessageSent hi"]);
    act(&stranger, "updateProfile", json!({"displayName": "Carol"})).await;
    assert_eq!(
        strangers.told(1).await,
        ["UserUpdated Carol"],
        "of what was said she heard nothing"
    );
}

#[tokio::test]
async fn a_conversation_comes_and_goes_with_its_membership() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    alice.befriend(&bob).await;
    let mut his = bob.events().await;
    let mut hers = alice.events().await;
    let group = alice.group("Walks", &[]).await;
    assert_eq!(hers.told(1).await, ["ConversationAdded Walks"]);
    alice.say(&group, "before").await;
    act(
        &alice,
        "addMembers",
        json!({"conversationId": group, "userIds": [bob.id]}),
    )
    .await;
    alice.say(&group, "welcome").await;
    assert_eq!(
        his.told(2).await,
        ["ConversationAdded Walks", "MessageSent welcome"],
        "what was said right after he was added is heard, what was said before is not"
    );
    assert_eq!(
        hers.told(3).await,
        [
            "MessageSent before",
            "MemberChanged bob MEMBER",
            "MessageSent welcome"
        ]
    );
    let input = json!({"conversationId": group, "userId": bob.id});
    act(&alice, "removeMember", input).await;
    alice.say(&group, "after").await;
    assert_eq!(hers.told(2).await, ["MemberRemoved 1", "MessageSent after"]);
    act(
        &alice,
        "addMembers",
        json!({"conversationId": group, "userIds": [bob.id]}),
    )
    .await;
    assert_eq!(
        his.told(2).await,
        ["ConversationRemoved REMOVED", "ConversationAdded Walks"],
        "what was said while he was not there is not told"
    );
    act(&bob, "leaveConversation", json!({"conversationId": group})).await;
    let removed = his.event().await;
    assert_eq!(in_words(&removed), "ConversationRemoved LEFT");
    assert_eq!(removed["conversationId"], json!(group));
    assert_eq!(removed["channel"], json!(null));
    act(
        &alice,
        "deleteConversation",
        json!({"conversationId": group}),
    )
    .await;
    assert_eq!(
        hers.told(3).await,
        [
            "MemberChanged bob MEMBER",
            "MemberRemoved 1",
            "ConversationRemoved DELETED"
        ]
    );
}

#[tokio::test]
async fn a_channel_that_was_left_can_be_read_and_one_that_banned_cannot() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let channel = alice.channel("News").await;
    let mut his = bob.events().await;
    bob.join(&channel).await;
    assert_eq!(his.told(1).await, ["ConversationAdded News"]);
    act(
        &bob,
        "leaveConversation",
        json!({"conversationId": channel}),
    )
    .await;
    let left = his.event().await;
    assert_eq!(in_words(&left), "ConversationRemoved LEFT");
    assert_eq!(
        left["channel"],
        json!({"id": channel, "title": "News", "viewerCan": {"join": true}})
    );
    bob.join(&channel).await;
    assert_eq!(his.told(1).await, ["ConversationAdded News"]);
    let input = json!({"conversationId": channel, "userId": bob.id, "ban": true});
    act(&alice, "removeMember", input).await;
    let banned = his.event().await;
    assert_eq!(in_words(&banned), "ConversationRemoved BANNED");
    assert_eq!(banned["channel"], json!(null));
}

#[tokio::test]
async fn what_changes_in_a_conversation_is_told_to_its_members() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    alice.say(&group, "one").await;
    let (mut hers, mut his) = (alice.events().await, bob.events().await);
    act(
        &alice,
        "updateConversation",
        json!({"conversationId": group, "title": "Hikes"}),
    )
    .await;
    act(
        &alice,
        "archiveConversation",
        json!({"conversationId": group}),
    )
    .await;
    act(
        &alice,
        "unarchiveConversation",
        json!({"conversationId": group}),
    )
    .await;
    let role = json!({"conversationId": group, "userId": bob.id, "role": "ADMIN"});
    act(&alice, "changeMemberRole", role).await;
    act(&bob, "markRead", json!({"conversationId": group, "seq": 1})).await;
    assert_eq!(
        his.told(6).await,
        [
            "ConversationUpdated Hikes",
            "ConversationUpdated Hikes",
            "ConversationUpdated Hikes",
            "MemberChanged bob ADMIN",
            "ConversationUpdated Hikes",
            "ReadStatusChanged bob 1"
        ],
        "what he may do there changed with his role"
    );
    assert_eq!(
        hers.told(5).await,
        [
            "ConversationUpdated Hikes",
            "ConversationUpdated Hikes",
            "ConversationUpdated Hikes",
            "MemberChanged bob ADMIN",
            "ReadStatusChanged bob 1"
        ]
    );
    act(&bob, "markRead", json!({"conversationId": group, "seq": 1})).await;
    act(
        &bob,
        "markUnread",
        json!({"conversationId": group, "seq": 1}),
    )
    .await;
    assert_eq!(
        hers.told(1).await,
        ["ReadStatusChanged bob 0"],
        "said again it is no news"
    );
}

#[tokio::test]
async fn both_hear_what_lies_between_them_and_only_the_blocker_of_a_block() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let (mut hers, mut his) = (alice.events().await, bob.events().await);
    let began = [
        "FriendRequestChanged alice PENDING",
        "FriendRequestChanged alice ACCEPTED",
    ];
    alice.befriend(&bob).await;
    // The first is told as it is when it is told: PENDING, unless the answer was quicker.
    assert_eq!(his.told(2).await[1], began[1]);
    assert_eq!(hers.told(2).await[1], began[1]);
    assert_eq!(his.told(1).await, ["FriendAdded alice"]);
    assert_eq!(hers.told(1).await, ["FriendAdded bob"]);
    let direct = alice.direct(&bob).await;
    alice.say(&direct, "hi").await;
    let opened = ["ConversationAdded null", "MessageSent hi"];
    assert_eq!(his.told(2).await, opened);
    let opened = [opened[0], "MemberChanged bob MEMBER", opened[1]];
    assert_eq!(hers.told(3).await, opened);

    act(&bob, "blockUser", json!({"userId": alice.id})).await;
    assert_eq!(hers.told(1).await, ["FriendRemoved bob"]);
    let read_only = hers.event().await;
    assert_eq!(in_words(&read_only), "ConversationUpdated null");
    assert_eq!(
        read_only["conversation"]["viewerCan"],
        json!({"send": false, "sendRefusal": "NOT_FRIENDS"})
    );
    let mut told = his.told(3).await;
    told.sort();
    let blocked = "BlockChanged alice BLOCKED";
    assert_eq!(
        told,
        [blocked, "ConversationUpdated null", "FriendRemoved alice"]
    );
    act(&bob, "unblockUser", json!({"userId": alice.id})).await;
    assert_eq!(his.told(1).await, ["BlockChanged alice NONE"]);
    alice.befriend(&bob).await;
    for (told, friend) in [(hers.told(4).await, "bob"), (his.told(4).await, "alice")] {
        assert_eq!(told[1], began[1], "of the block she heard nothing");
        assert_eq!(told[2], format!("FriendAdded {friend}"));
        assert_eq!(told[3], "ConversationUpdated null");
    }
}

#[tokio::test]
async fn a_profile_is_news_to_friends_and_to_direct_peers_alone() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    alice.group("Walks", &[&bob]).await;
    let carol = app.sign_up("carol").await;
    let mut hers = alice.events().await;
    alice.befriend(&carol).await;
    assert_eq!(hers.told(3).await[2], "FriendAdded carol");
    for (name, told) in [("Bobby", true), ("Rob", false)] {
        act(&bob, "updateProfile", json!({"displayName": name})).await;
        act(
            &carol,
            "updateProfile",
            json!({"displayName": format!("Caro {name}")}),
        )
        .await;
        if told {
            assert_eq!(hers.told(1).await, [format!("UserUpdated {name}")]);
        }
        assert_eq!(hers.told(1).await, [format!("UserUpdated Caro {name}")]);
        if told {
            act(&alice, "removeFriend", json!({"userId": bob.id})).await;
            assert_eq!(hers.told(1).await, ["FriendRemoved bob"]);
        }
    }
    alice.befriend(&bob).await;
    alice.direct(&bob).await;
    act(&alice, "removeFriend", json!({"userId": bob.id})).await;
    act(&bob, "updateProfile", json!({"displayName": "Robert"})).await;
    let told = hers.told(8).await;
    assert_eq!(told[7], "UserUpdated Robert", "{told:?}");
}

#[tokio::test]
async fn an_account_that_ends_leaves_its_friends_and_conversations() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    bob.say(&group, "bye").await;
    let mut hers = alice.events().await;
    let password = json!({"password": crate::support::PASSWORD});
    bob.mutate("deleteAccount", "deletedUserId", password).await;
    let mut told = [hers.event().await, hers.event().await];
    told.sort_by_key(|event| event["__typename"].to_string());
    assert_eq!(in_words(&told[0]), "FriendRemoved null");
    assert_eq!(in_words(&told[1]), "MemberRemoved 1");
}

#[tokio::test]
async fn a_stream_on_which_nothing_happens_says_how_far_the_log_is() {
    let app = TestApp::start_with(Limits {
        heartbeat_every: std::time::Duration::from_millis(50),
        rate_limits: false,
        ..Limits::default()
    })
    .await;
    let (alice, bob) = app.alice_and_bob().await;
    let mut hers = alice.events().await;
    let before = hers.cursor.clone();
    let group = bob.group("His own", &[]).await;
    bob.say(&group, "to himself").await;
    let mut heartbeats = 0;
    while hers.cursor == before {
        let frame = hers.frame().await;
        assert_eq!(frame.events(), [] as [serde_json::Value; 0]);
        assert!(frame.is_caught_up());
        heartbeats += 1;
        assert!(heartbeats < 100, "the place does not move");
    }
    assert_eq!(
        alice.missed(&hers.cursor).await.0,
        [] as [serde_json::Value; 0]
    );
}

#[tokio::test]
async fn nobody_hears_events_without_signing_in_and_a_log_out_ends_them() {
    let app = TestApp::start().await;
    let mut socket = app.anonymous().socket().await;
    socket
        .subscribe("e", crate::support::events::EVENTS, json!({}))
        .await;
    let heard = socket.hear().await;
    assert_eq!(heard["type"], "error", "{heard}");
    assert_eq!(heard["payload"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let alice = app.sign_up("alice").await;
    let mut hers = alice.events().await;
    alice
        .query("mutation{logOut(input:{}){userErrors{code}}}", json!({}))
        .await;
    assert_eq!(hers.end().await, json!({"type": "complete", "id": "e"}));
    drop(hers);
    app.nobody_listens().await;
}
