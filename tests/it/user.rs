//! People: signing up, profiles, passwords, finding each other.

use serde_json::json;

use crate::support::{Client, PASSWORD, TestApp};

#[tokio::test]
async fn somebody_signs_up_and_is_signed_in() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let viewer = alice
        .query(
            "{viewer{id user{id handle displayName avatarUrl createdAt} unreadCount}}",
            json!({}),
        )
        .await;
    assert_eq!(viewer.text("/viewer/user/handle"), "alice");
    assert_eq!(viewer.text("/viewer/user/id"), alice.id);
    assert_eq!(
        viewer.text("/viewer/user/displayName"),
        "alice of the tests"
    );
    assert!(viewer.at("/viewer/user/avatarUrl").is_null());
    assert!(viewer.text("/viewer/user/createdAt").ends_with('Z'));
    assert_eq!(viewer.number("/viewer/unreadCount"), 0);
    let nobody = app.anonymous().query("{viewer{id}}", json!({})).await;
    assert!(nobody.at("/viewer").is_null());
}

#[tokio::test]
async fn the_rest_of_the_request_is_asked_by_who_has_just_signed_up() {
    let app = TestApp::start().await;
    let input = json!({"handle": "alice", "displayName": "Alice", "password": PASSWORD, "deviceName": "phone"});
    let selection = "token{session{isCurrent deviceName}} viewer{sessions{isCurrent} conversations{edges{node{id}}}}";
    let reply = app.anonymous().mutate("signUp", selection, input).await;
    assert_eq!(
        reply.at("/token/session"),
        &json!({"isCurrent": true, "deviceName": "phone"})
    );
    assert_eq!(reply.at("/viewer/sessions"), &json!([{"isCurrent": true}]));
    assert_eq!(reply.at("/viewer/conversations/edges"), &json!([]));
}

#[tokio::test]
async fn a_sign_up_names_every_fault_at_once_and_stores_nothing() {
    let app = TestApp::start().await;
    let faulty = json!({"handle": "A!", "displayName": " ", "password": "short", "deviceName": "x".repeat(65)});
    let reply = app
        .anonymous()
        .mutate("signUp", "token{value}", faulty)
        .await;
    let paths: Vec<_> = reply
        .refusals()
        .into_iter()
        .map(|(code, path)| format!("{code} {path}"))
        .collect();
    assert_eq!(
        paths,
        [
            "INVALID_INPUT handle",
            "INVALID_INPUT displayName",
            "INVALID_INPUT password",
            "INVALID_INPUT deviceName"
        ]
    );
    assert!(reply.at("/token").is_null());
}

#[tokio::test]
async fn a_handle_belongs_to_one_person_even_when_many_want_it_at_once() {
    let app = TestApp::start().await;
    let want = |_| async {
        let input = json!({"handle": "alice", "displayName": "Alice", "password": PASSWORD});
        app.anonymous()
            .mutate("signUp", "viewer{user{id}}", input)
            .await
    };
    let replies = futures_util::future::join_all((0..8).map(want)).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies
        .iter()
        .partition(|reply| reply.refusals().is_empty());
    assert_eq!(won.len(), 1);
    for reply in lost {
        reply.is_refused("TAKEN", "handle");
    }
}

#[tokio::test]
async fn a_profile_changes_field_by_field() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let update = |input| alice.mutate("updateProfile", "user{displayName avatarUrl}", input);
    let picture = "https://example.com/a.png";
    let reply = update(json!({"avatarUrl": picture})).await;
    assert_eq!(
        reply.at("/user"),
        &json!({"displayName": "alice of the tests", "avatarUrl": picture})
    );
    let reply = update(json!({"displayName": "Alice"})).await;
    assert_eq!(
        reply.at("/user"),
        &json!({"displayName": "Alice", "avatarUrl": picture})
    );
    update(json!({"displayName": null}))
        .await
        .is_refused("INVALID_INPUT", "displayName");
    update(json!({"avatarUrl": "http://example.com"}))
        .await
        .is_refused("INVALID_INPUT", "avatarUrl");
    let reply = update(json!({"avatarUrl": null})).await;
    assert_eq!(
        reply.at("/user"),
        &json!({"displayName": "Alice", "avatarUrl": null})
    );
    let seen = app
        .anonymous()
        .query("{user(by:{handle:\"alice\"}){displayName}}", json!({}))
        .await;
    assert_eq!(seen.text("/user/displayName"), "Alice");
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let log_in = |password: &'static str| log_in(&app.url, password);
    let phone = log_in(PASSWORD).await.expect("signed in");
    let change = |current: &'static str, new: &'static str| {
        let input = json!({"currentPassword": current, "newPassword": new});
        alice.mutate("changePassword", "viewer{id}", input)
    };
    change("not the password", "another password")
        .await
        .is_refused("INVALID_CREDENTIALS", "currentPassword");
    change(PASSWORD, "short")
        .await
        .is_refused("INVALID_INPUT", "newPassword");
    assert_eq!(phone.run("{viewer{id}}", json!({})).await.codes(), [""; 0]);
    assert_eq!(change(PASSWORD, "another password").await.refusals(), []);
    assert_eq!(
        phone.run("{viewer{id}}", json!({})).await.codes(),
        ["UNAUTHENTICATED"]
    );
    assert_eq!(alice.run("{viewer{id}}", json!({})).await.codes(), [""; 0]);
    assert!(log_in(PASSWORD).await.is_none());
    assert!(log_in("another password").await.is_some());
}

async fn log_in(url: &str, password: &str) -> Option<Client> {
    let input = json!({"handle": "alice", "password": password});
    let reply = Client::new(url, None)
        .mutate("logIn", "token{value}", input)
        .await;
    reply
        .at("/token")
        .pointer("/value")
        .map(|token| Client::new(url, token.as_str()))
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_their_names() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    for handle in ["alina", "bob", "al_99"] {
        app.sign_up(handle).await;
    }
    alice
        .mutate(
            "updateProfile",
            "user{id}",
            json!({"displayName": "Zoë Äpfel"}),
        )
        .await;
    let search = |text: &'static str, first: i64, after: Option<String>| {
        let document = "query($s:String!$f:Int$a:String){users(search:$s,first:$f,after:$a){edges{cursor node{handle}} pageInfo{hasNextPage}}}";
        let alice = alice.clone();
        async move {
            alice
                .query(document, json!({"s": text, "f": first, "a": after}))
                .await
        }
    };
    let handles = |reply: &crate::support::Reply| -> Vec<String> {
        let edges = reply.at("/users/edges").as_array().expect("edges");
        edges
            .iter()
            .map(|edge| {
                edge["node"]["handle"]
                    .as_str()
                    .expect("a handle")
                    .to_owned()
            })
            .collect()
    };
    let page = search("AL", 2, None).await;
    assert_eq!(handles(&page), ["al_99", "alice"]);
    assert_eq!(page.at("/users/pageInfo/hasNextPage"), true);
    let rest = search("AL", 2, Some(page.text("/users/edges/1/cursor"))).await;
    assert_eq!(handles(&rest), ["alina"]);
    assert_eq!(handles(&search("zoë ä", 5, None).await), ["alice"]);
    assert_eq!(handles(&search("%%", 5, None).await), [""; 0]);
    let too_short = alice
        .run("{users(search:\"a\"){edges{cursor}}}", json!({}))
        .await;
    assert_eq!(too_short.codes(), ["BAD_USER_INPUT"]);
    let nobody = app
        .anonymous()
        .run("{users(search:\"al\"){edges{cursor}}}", json!({}))
        .await;
    assert_eq!(nobody.codes(), ["UNAUTHENTICATED"]);
}

#[tokio::test]
async fn a_user_is_found_by_identifier_or_handle_and_by_nothing_else() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let by = |by| {
        alice.query(
            "query($by:UserByInput!){user(by:$by){handle}}",
            json!({ "by": by }),
        )
    };
    assert_eq!(by(json!({"id": bob.id})).await.text("/user/handle"), "bob");
    assert_eq!(
        by(json!({"handle": "bob"})).await.text("/user/handle"),
        "bob"
    );
    for missing in [
        json!({"handle": "nobody"}),
        json!({"id": "user_0"}),
        json!({"id": "conversation_0"}),
    ] {
        assert!(by(missing).await.at("/user").is_null());
    }
    let both = alice
        .run("{user(by:{handle:\"bob\",id:\"x\"}){handle}}", json!({}))
        .await;
    assert_ne!(both.codes(), [""; 0]);
}
