//! Signed-in devices.

use parlor::model::Limits;
use serde_json::json;

use crate::support::{Client, PASSWORD, Reply, TestApp};

async fn log_in(app: &TestApp, handle: &str, password: &str) -> Reply {
    let input = json!({"handle": handle, "password": password, "deviceName": "phone"});
    app.anonymous()
        .mutate(
            "logIn",
            "token{value session{id}} viewer{user{handle}}",
            input,
        )
        .await
}

async fn signed_in(app: &TestApp) -> Client {
    Client::new(
        &app.url,
        Some(&log_in(app, "alice", PASSWORD).await.text("/token/value")),
    )
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_handle_get_the_same_answer() {
    let app = TestApp::start().await;
    app.sign_up("alice").await;
    let wrong = log_in(&app, "alice", "not the password").await;
    let unknown = log_in(&app, "nobody", "not the password").await;
    let impossible = log_in(&app, "No Such Handle!", "not the password").await;
    wrong.is_refused("INVALID_CREDENTIALS", "");
    assert_eq!(wrong, unknown);
    assert_eq!(wrong, impossible);
    assert_eq!(
        log_in(&app, "alice", PASSWORD)
            .await
            .text("/viewer/user/handle"),
        "alice"
    );
}

#[tokio::test]
async fn five_failures_in_a_minute_are_enough_whoever_has_the_handle() {
    let app = TestApp::start_with(Limits::default()).await;
    app.sign_up("alice").await;
    for handle in ["alice", "nobody"] {
        for _ in 0..5 {
            log_in(&app, handle, "not the password")
                .await
                .is_refused("INVALID_CREDENTIALS", "");
        }
        let document = "mutation($i:LogInInput!){logIn(input:$i){userErrors{code}}}";
        let input = json!({"i": {"handle": handle, "password": PASSWORD}});
        let limited = app.anonymous().run(document, input).await;
        assert_eq!(limited.codes(), ["RATE_LIMITED"]);
        assert!(limited.number("/errors/0/extensions/retryAfterMs") > 0);
    }
    app.clock.turn(60_000);
    assert_eq!(log_in(&app, "alice", PASSWORD).await.refusals(), []);
}

#[tokio::test]
async fn the_current_session_comes_first_and_others_can_be_ended() {
    let app = TestApp::start().await;
    let laptop = app.sign_up("alice").await;
    let phone = signed_in(&app).await;
    let document = "{viewer{sessions{id isCurrent deviceName createdAt lastUsedAt expiresAt}}}";
    let sessions = laptop.query(document, json!({})).await;
    assert_eq!(
        sessions.at("/viewer/sessions").as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(sessions.at("/viewer/sessions/0/isCurrent"), true);
    assert!(sessions.at("/viewer/sessions/0/deviceName").is_null());
    assert_eq!(sessions.text("/viewer/sessions/1/deviceName"), "phone");
    let other = sessions.text("/viewer/sessions/1/id");
    let reply = laptop
        .mutate("logOut", "endedSessionId", json!({"sessionId": other}))
        .await;
    assert_eq!(reply.text("/endedSessionId"), other);
    assert_eq!(
        phone.run("{viewer{id}}", json!({})).await.codes(),
        ["UNAUTHENTICATED"]
    );
    laptop
        .mutate("logOut", "endedSessionId", json!({"sessionId": other}))
        .await
        .is_refused("NOT_FOUND", "sessionId");
}

#[tokio::test]
async fn nobody_ends_or_sees_the_session_of_somebody_else() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let hers = alice
        .query("{viewer{sessions{id}}}", json!({}))
        .await
        .text("/viewer/sessions/0/id");
    bob.mutate("logOut", "endedSessionId", json!({"sessionId": hers}))
        .await
        .is_refused("NOT_FOUND", "sessionId");
    let node = "query($id:ID!){node(id:$id){id}}";
    assert!(
        bob.query(node, json!({"id": hers}))
            .await
            .at("/node")
            .is_null()
    );
    assert_eq!(
        alice
            .query(node, json!({"id": hers}))
            .await
            .text("/node/id"),
        hers
    );
}

#[tokio::test]
async fn logging_out_ends_the_current_session() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    assert_eq!(
        alice
            .mutate("logOut", "endedSessionId", json!({}))
            .await
            .refusals(),
        []
    );
    let after = alice.post("{viewer{id}}", json!({})).await;
    assert_eq!(after.status(), 401);
    assert_eq!(after.headers()["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn a_session_ends_thirty_days_after_its_last_use() {
    let app = TestApp::start().await;
    let (used, unused) = {
        app.sign_up("alice").await;
        (signed_in(&app).await, signed_in(&app).await)
    };
    let day = 24 * 3_600_000;
    for _ in 0..4 {
        app.clock.turn(10 * day);
        let before = used
            .query("{viewer{sessions{lastUsedAt}}}", json!({}))
            .await;
        // The use is written down behind the answer, so it is there soon, not at once.
        crate::support::until(|| async {
            let after = used
                .query("{viewer{sessions{lastUsedAt}}}", json!({}))
                .await;
            (after.text("/viewer/sessions/0/lastUsedAt")
                > before.text("/viewer/sessions/0/lastUsedAt")
                || after.text("/viewer/sessions/0/lastUsedAt") >= after_now(&app))
            .then_some(())
        })
        .await;
    }
    assert_eq!(
        unused.run("{viewer{id}}", json!({})).await.codes(),
        ["UNAUTHENTICATED"]
    );
    assert_eq!(used.run("{viewer{id}}", json!({})).await.codes(), [""; 0]);
}

/// A minute before the app's now.
fn after_now(app: &TestApp) -> String {
    use parlor::model::{Clock, Timestamp};
    Timestamp::from_millis(app.clock.now().millis() - 60_000).to_string()
}

#[tokio::test]
async fn one_session_too_many_ends_the_one_unused_for_longest() {
    let app = TestApp::start_with(Limits {
        sessions_per_user_max: 3,
        rate_limits: false,
        ..Limits::default()
    })
    .await;
    let first = app.sign_up("alice").await;
    let mut later = Vec::new();
    for _ in 0..3 {
        app.clock.turn(1_000);
        later.push(signed_in(&app).await);
    }
    assert_eq!(
        first.run("{viewer{id}}", json!({})).await.codes(),
        ["UNAUTHENTICATED"]
    );
    for session in later {
        assert_eq!(
            session.run("{viewer{id}}", json!({})).await.codes(),
            [""; 0]
        );
    }
}

#[tokio::test]
async fn a_token_that_is_none_is_refused_and_not_taken_for_nobody() {
    let app = TestApp::start().await;
    for token in ["nonsense", "Bearer", "x y z"] {
        let reply = Client::new(&app.url, Some(token))
            .post("{viewer{id}}", json!({}))
            .await;
        assert_eq!(reply.status(), 401, "{token}");
    }
}
