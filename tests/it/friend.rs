//! Friends: asking, answering, ending; and who wants to hear nothing from whom.

use serde_json::{Value, json};

use crate::support::{Client, Reply, TestApp};

const DAY: i64 = 24 * 3_600_000;

async fn ask(who: &Client, whom: &Client) -> Reply {
    let selection =
        "friendRequest{id status sender{id} recipient{id} closedAt} friendship{id friend{handle}}";
    who.mutate("sendFriendRequest", selection, json!({"userId": whom.id}))
        .await
}

/// `accept`, `reject` or `cancel`.
async fn answer(who: &Client, verb: &str, request: &str) -> Reply {
    let field = format!("{verb}FriendRequest");
    who.mutate(
        &field,
        "friendRequest{id status closedAt}",
        json!({"friendRequestId": request}),
    )
    .await
}

async fn with_user(who: &Client, field: &str, whom: &Client) -> Reply {
    let selection = match field {
        "removeFriend" => "removedFriendshipId user{handle}",
        "blockUser" => "block{id user{handle}}",
        _ => "removedBlockId user{handle}",
    };
    who.mutate(field, selection, json!({"userId": whom.id}))
        .await
}

async fn between(who: &Client, whom: &Client) -> Value {
    let document = "query($by:UserByInput!){user(by:$by){viewerRelationship{
        status block{id} friendship{id} pendingRequest{id} requestHistory{totalCount edges{node{status}}}}}}";
    let reply = who.query(document, json!({"by": {"id": whom.id}})).await;
    reply.at("/user/viewerRelationship").clone()
}

async fn status(who: &Client, whom: &Client) -> String {
    between(who, whom).await["status"]
        .as_str()
        .expect("a status")
        .to_owned()
}

#[tokio::test]
async fn somebody_asks_is_answered_and_both_are_friends() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let asked = ask(&alice, &bob).await;
    let request = asked.text("/friendRequest/id");
    assert_eq!(asked.text("/friendRequest/status"), "PENDING");
    assert_eq!(
        ask(&alice, &bob).await.text("/friendRequest/id"),
        request,
        "asking again is the same request"
    );
    assert_eq!(
        (status(&alice, &bob).await, status(&bob, &alice).await),
        ("REQUEST_SENT".into(), "REQUEST_RECEIVED".into())
    );
    let received =
        "{viewer{friendRequests(direction:RECEIVED){totalCount edges{node{id sender{handle}}}}}}";
    let list = bob.query(received, json!({})).await;
    assert_eq!(list.number("/viewer/friendRequests/totalCount"), 1);
    assert_eq!(
        list.text("/viewer/friendRequests/edges/0/node/sender/handle"),
        "alice"
    );
    let selection = "friendRequest{status closedAt} friendshipEdge{cursor node{id friend{handle}}}";
    let accepted = bob
        .mutate(
            "acceptFriendRequest",
            selection,
            json!({"friendRequestId": request}),
        )
        .await;
    assert_eq!(accepted.text("/friendRequest/status"), "ACCEPTED");
    assert_eq!(accepted.text("/friendshipEdge/node/friend/handle"), "alice");
    let friends = "{viewer{friends{totalCount edges{node{id friend{handle}}}}}}";
    for (who, friend) in [(&alice, "bob"), (&bob, "alice")] {
        let list = who.query(friends, json!({})).await;
        assert_eq!(
            list.text("/viewer/friends/edges/0/node/friend/handle"),
            friend
        );
        assert_eq!(
            list.text("/viewer/friends/edges/0/node/id"),
            accepted.text("/friendshipEdge/node/id")
        );
        assert_eq!(list.number("/viewer/friends/totalCount"), 1);
    }
    assert_eq!(
        bob.query(received, json!({}))
            .await
            .number("/viewer/friendRequests/totalCount"),
        0
    );
    assert_eq!(
        answer(&bob, "accept", &request).await.refusals(),
        [],
        "what is so already succeeds again"
    );
    assert!(
        ask(&alice, &bob).await.at("/friendship/id").is_string(),
        "friends already"
    );
}

#[tokio::test]
async fn requests_are_answered_by_the_right_side_once() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let request = ask(&alice, &bob).await.text("/friendRequest/id");
    answer(&alice, "accept", &request)
        .await
        .is_refused("FORBIDDEN", "friendRequestId");
    answer(&alice, "reject", &request)
        .await
        .is_refused("FORBIDDEN", "friendRequestId");
    answer(&bob, "cancel", &request)
        .await
        .is_refused("FORBIDDEN", "friendRequestId");
    for verb in ["accept", "reject", "cancel"] {
        answer(&carol, verb, &request)
            .await
            .is_refused("NOT_FOUND", "friendRequestId");
        answer(&alice, verb, &alice.id)
            .await
            .is_refused("NOT_FOUND", "friendRequestId");
    }
    let cancelled = answer(&alice, "cancel", &request).await;
    assert_eq!(cancelled.text("/friendRequest/status"), "CANCELLED");
    assert_eq!(
        answer(&alice, "cancel", &request).await.refusals(),
        [],
        "again is fine"
    );
    answer(&bob, "accept", &request)
        .await
        .is_refused("WRONG_STATE", "friendRequestId");
    answer(&bob, "reject", &request)
        .await
        .is_refused("WRONG_STATE", "friendRequestId");
    assert_eq!(status(&alice, &bob).await, "NONE");
    let node = "query($id:ID!){node(id:$id){id}}";
    assert_eq!(
        bob.query(node, json!({ "id": request }))
            .await
            .text("/node/id"),
        request
    );
    assert!(
        carol
            .query(node, json!({ "id": request }))
            .await
            .at("/node")
            .is_null()
    );
}

#[tokio::test]
async fn who_was_rejected_asks_again_after_a_day() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let request = ask(&alice, &bob).await.text("/friendRequest/id");
    assert_eq!(
        answer(&bob, "reject", &request)
            .await
            .text("/friendRequest/status"),
        "REJECTED"
    );
    ask(&alice, &bob).await.is_refused("FORBIDDEN", "userId");
    app.clock.turn(DAY - 60_000);
    ask(&alice, &bob).await.is_refused("FORBIDDEN", "userId");
    app.clock.turn(61_000);
    let again = ask(&alice, &bob).await.text("/friendRequest/id");
    assert_ne!(again, request);
    let history = between(&bob, &alice).await;
    let states: Vec<_> = history["requestHistory"]["edges"]
        .as_array()
        .expect("edges")
        .iter()
        .map(|edge| edge["node"]["status"].clone())
        .collect();
    assert_eq!(
        states,
        [json!("PENDING"), json!("REJECTED")],
        "kept for ever, newest first"
    );
    let all = "{viewer{friendRequests(direction:SENT,status:null){totalCount}}}";
    assert_eq!(
        alice
            .query(all, json!({}))
            .await
            .number("/viewer/friendRequests/totalCount"),
        2
    );
}

#[tokio::test]
async fn nobody_asks_themself_nobody_or_too_many() {
    let limits = parlor::model::Limits {
        pending_requests_max: 2,
        rate_limits: false,
        ..parlor::model::Limits::default()
    };
    let app = TestApp::start_with(limits).await;
    let (alice, bob) = app.alice_and_bob().await;
    let (carol, dave) = tokio::join!(app.sign_up("carol"), app.sign_up("dave"));
    ask(&alice, &alice)
        .await
        .is_refused("INVALID_INPUT", "userId");
    let nobody = json!({"userId": alice.id.replace(&alice.id[alice.id.len() - 6..], "000000")});
    alice
        .mutate("sendFriendRequest", "friendRequest{id}", nobody)
        .await
        .is_refused("NOT_FOUND", "userId");
    let first = ask(&alice, &bob).await.text("/friendRequest/id");
    ask(&alice, &carol).await;
    ask(&alice, &dave).await.is_refused("LIMIT_REACHED", "");
    assert_eq!(answer(&alice, "cancel", &first).await.refusals(), []);
    assert_eq!(
        ask(&alice, &dave).await.refusals(),
        [],
        "one that was withdrawn does not count"
    );
    let document = "mutation($u:ID!){sendFriendRequest(input:{userId:$u}){userErrors{code}}}";
    assert_eq!(
        app.anonymous()
            .run(document, json!({"u": bob.id}))
            .await
            .codes(),
        ["UNAUTHENTICATED"]
    );
}

#[tokio::test]
async fn a_friendship_ends_for_both_and_may_begin_again() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    with_user(&alice, "removeFriend", &bob)
        .await
        .is_refused("NOT_FOUND", "userId");
    alice.befriend(&bob).await;
    let friendship = between(&alice, &bob).await["friendship"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let ended = with_user(&bob, "removeFriend", &alice).await;
    assert_eq!(
        (
            ended.text("/removedFriendshipId"),
            ended.text("/user/handle")
        ),
        (friendship.clone(), "alice".into())
    );
    assert_eq!(
        (status(&alice, &bob).await, status(&bob, &alice).await),
        ("NONE".into(), "NONE".into())
    );
    let node = alice
        .query(
            "query($id:ID!){node(id:$id){id}}",
            json!({"id": friendship}),
        )
        .await;
    assert!(node.at("/node").is_null());
    bob.befriend(&alice).await;
    assert_ne!(
        between(&alice, &bob).await["friendship"]["id"],
        json!(friendship),
        "another friendship"
    );
}

#[tokio::test]
async fn who_is_blocked_sees_what_a_stranger_would_see() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    alice.befriend(&bob).await;
    let blocked = with_user(&alice, "blockUser", &bob).await;
    let again = with_user(&alice, "blockUser", &bob).await;
    assert_eq!(
        again.at("/block"),
        blocked.at("/block"),
        "blocking again is the same block"
    );
    assert_eq!(
        (status(&alice, &bob).await, status(&bob, &alice).await),
        ("BLOCKED".into(), "NONE".into())
    );
    assert!(between(&bob, &alice).await["block"].is_null());
    ask(&bob, &alice).await.is_refused("FORBIDDEN", "userId");
    ask(&alice, &bob).await.is_refused("FORBIDDEN", "userId");
    let request = ask(&carol, &bob).await.text("/friendRequest/id");
    answer(&bob, "reject", &request).await;
    let (too_soon, blocked_too) = (ask(&carol, &bob).await, ask(&bob, &alice).await);
    assert_eq!(too_soon, blocked_too, "which of the two it is is not told");
    let node = "query($id:ID!){node(id:$id){id}}";
    let id = json!({"id": blocked.text("/block/id")});
    assert!(bob.query(node, id.clone()).await.at("/node").is_null());
    assert_eq!(
        alice.query(node, id).await.at("/node/id"),
        blocked.at("/block/id")
    );
    let list = alice
        .query("{viewer{blocks{edges{node{user{handle}}}}}}", json!({}))
        .await;
    assert_eq!(list.text("/viewer/blocks/edges/0/node/user/handle"), "bob");
    assert_eq!(
        with_user(&alice, "unblockUser", &bob)
            .await
            .at("/removedBlockId"),
        blocked.at("/block/id")
    );
    with_user(&alice, "unblockUser", &bob)
        .await
        .is_refused("NOT_FOUND", "userId");
    with_user(&bob, "blockUser", &bob)
        .await
        .is_refused("INVALID_INPUT", "userId");
    assert_eq!(ask(&bob, &alice).await.refusals(), []);
    with_user(&alice, "blockUser", &bob).await;
    let history = between(&bob, &alice).await;
    assert_eq!(
        history["requestHistory"]["edges"][0]["node"]["status"], "CANCELLED",
        "a block ends what was asked"
    );
}

#[tokio::test]
async fn friends_in_common_are_those_of_both() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let mut others = Vec::new();
    for handle in ["erin", "carol", "dave", "frank"] {
        others.push(app.sign_up(handle).await);
    }
    for other in &others[..3] {
        alice.befriend(other).await;
    }
    for other in &others[1..] {
        bob.befriend(other).await;
    }
    let document = "query($by:UserByInput!$a:String){user(by:$by){mutualFriends(first:1,after:$a){
        edges{cursor node{handle}} pageInfo{hasNextPage}}}}";
    let page = |after: Option<String>| {
        let variables = json!({"by": {"handle": "bob"}, "a": after});
        let alice = alice.clone();
        async move { alice.query(document, variables).await }
    };
    let first = page(None).await;
    assert_eq!(
        first.text("/user/mutualFriends/edges/0/node/handle"),
        "carol"
    );
    assert_eq!(first.at("/user/mutualFriends/pageInfo/hasNextPage"), true);
    let second = page(Some(first.text("/user/mutualFriends/edges/0/cursor"))).await;
    assert_eq!(
        second.text("/user/mutualFriends/edges/0/node/handle"),
        "dave"
    );
    assert_eq!(second.at("/user/mutualFriends/pageInfo/hasNextPage"), false);
    let friends = alice.query("{viewer{friends(first:2){totalCount edges{node{friend{handle}}} pageInfo{hasNextPage}}}}", json!({})).await;
    assert_eq!(
        friends.at("/viewer/friends/edges"),
        &json!([{"node": {"friend": {"handle": "carol"}}}, {"node": {"friend": {"handle": "dave"}}}])
    );
    assert_eq!(friends.number("/viewer/friends/totalCount"), 3);
    let own = alice
        .query("{viewer{user{viewerRelationship{status}}}}", json!({}))
        .await;
    assert!(own.at("/viewer/user/viewerRelationship").is_null());
}

#[tokio::test]
async fn what_was_answered_otherwise_is_not_answered_again() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let request = ask(&alice, &bob).await.text("/friendRequest/id");
    answer(&bob, "reject", &request).await;
    for (who, verb) in [(&bob, "accept"), (&alice, "cancel")] {
        answer(who, verb, &request)
            .await
            .is_refused("WRONG_STATE", "friendRequestId");
    }
    assert_eq!(answer(&bob, "reject", &request).await.refusals(), []);
    let request = ask(&bob, &alice).await.text("/friendRequest/id");
    answer(&alice, "accept", &request).await;
    for (who, verb) in [(&alice, "reject"), (&bob, "cancel")] {
        answer(who, verb, &request)
            .await
            .is_refused("WRONG_STATE", "friendRequestId");
    }
    assert_eq!(status(&alice, &bob).await, "FRIENDS", "nothing changed");
    with_user(&bob, "removeFriend", &alice).await;
    answer(&alice, "accept", &request)
        .await
        .is_refused("WRONG_STATE", "friendRequestId");
    let request = ask(&bob, &alice).await.text("/friendRequest/id");
    with_user(&alice, "blockUser", &bob).await;
    answer(&alice, "accept", &request)
        .await
        .is_refused("WRONG_STATE", "friendRequestId");
    assert_eq!(status(&bob, &alice).await, "NONE");
}

#[tokio::test]
async fn whoever_blocks_or_is_blocked_is_added_to_nothing() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[]).await;
    for (blocker, blocked) in [(&alice, &bob), (&bob, &alice)] {
        alice.befriend(&bob).await;
        with_user(blocker, "blockUser", blocked).await;
        let add = json!({"conversationId": group, "userIds": [bob.id]});
        alice
            .mutate("addMembers", "conversation{id}", add)
            .await
            .is_refused("NOT_FRIENDS", "userIds.0");
        let make = json!({"title": "Two", "memberIds": [bob.id]});
        alice
            .mutate("createConversation", "conversationEdge{cursor}", make)
            .await
            .is_refused("NOT_FRIENDS", "memberIds.0");
        with_user(blocker, "unblockUser", blocked).await;
    }
}
