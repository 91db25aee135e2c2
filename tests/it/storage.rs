//! The database under it: one server at a time, settings that hold, tables that fit.

use std::{collections::BTreeSet, time::Duration};

use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, EntityTrait, IdenStatic, Iterable, Statement,
    TransactionTrait,
};
use serde_json::json;

use crate::support::{TestApp, until};

async fn db(app: &TestApp) -> DatabaseConnection {
    Database::connect(format!("sqlite://{}", app.db_path().display()))
        .await
        .expect("a connection")
}

async fn db_values(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .expect("rows");
    rows.iter()
        .map(|row| row.try_get_by_index::<String>(0).expect("a text"))
        .collect()
}

#[tokio::test]
async fn a_second_server_on_the_same_database_does_not_start() {
    let app = TestApp::start().await;
    let refused = app.open_again().await.err().expect("refused");
    assert!(
        refused.to_string().contains("in use by another parlor"),
        "{refused}"
    );
    app.stop().await;
    assert!(
        app.open_again().await.is_ok(),
        "after the first has stopped it may"
    );
}

#[tokio::test]
async fn a_database_has_one_name_whatever_links_lead_to_it() {
    let app = TestApp::start().await;
    let elsewhere = tempfile::tempdir().expect("a directory");
    let link = elsewhere.path().join("other.db");
    std::os::unix::fs::symlink(app.db_path(), &link).expect("a link");
    let random = parlor::model::Random::from_os();
    let opened = parlor::store::open(&format!("sqlite://{}", link.display()), &random).await;
    let refused = opened.expect_err("refused");
    assert!(
        refused.to_string().contains("in use by another parlor"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_database_with_a_space_in_its_name_is_one_file_for_reading_and_writing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    let url = |name: &str| format!("sqlite://{}", path(name).display());
    let random = parlor::model::Random::from_os();
    let opened = parlor::store::open(&url("my%20chat.db?mode=rwc"), &random).await;
    let mut opened = opened.expect("a database");
    let begun = opened.writer.begin_epoch(&random).await;
    begun.expect("what is written to is what was made");
    assert!(path("my chat.db").exists());
    assert!(!path("my%20chat.db").exists());
    let refused = parlor::store::open(&url("other.db?mode=rwc&vfs=unix-none"), &random).await;
    let refused = refused.expect_err("each connection would lock it in another way");
    assert!(
        refused.to_string().contains("is not of the form"),
        "{refused}"
    );
}

#[tokio::test]
async fn while_another_program_holds_the_database_people_are_told_to_try_again() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let group = alice.group("Walks", &[]).await;
    alice.say(&group, "before").await;
    let other = db(&app).await;
    let held = other.begin().await.expect("a transaction");
    held.execute_unprepared("UPDATE shards SET head = head")
        .await
        .expect("the write lock");
    let document = "mutation($c:ID!){sendMessage(input:{conversationId:$c,text:\"meanwhile\",idempotencyKey:\"k\"}){userErrors{code}}}";
    let refused = alice.run(document, json!({"c": group})).await;
    assert_eq!(refused.codes(), ["UNAVAILABLE"]);
    assert!(refused.number("/errors/0/extensions/retryAfterMs") > 0);
    assert_eq!(alice.texts(&group).await, ["before"], "reading goes on");
    held.rollback().await.expect("let go");
    assert_eq!(
        alice
            .send(&group, "meanwhile", Some("k"))
            .await
            .number("/messageEdge/node/seq"),
        2
    );
}

#[tokio::test]
async fn positions_and_heads_have_no_hole() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    for n in 0..5 {
        alice.say(&group, &n.to_string()).await;
    }
    bob.mutate(
        "markRead",
        "membership{id}",
        json!({"conversationId": group, "seq": 2}),
    )
    .await;
    bob.mutate(
        "updateProfile",
        "user{id}",
        json!({"displayName": "Robert"}),
    )
    .await;
    alice
        .mutate(
            "updateConversation",
            "conversation{id}",
            json!({"conversationId": group, "title": "Runs"}),
        )
        .await;
    bob.mutate(
        "leaveConversation",
        "leftConversationId",
        json!({"conversationId": group}),
    )
    .await;
    bob.mutate("logOut", "endedSessionId", json!({})).await;
    app.stop().await;
    let db = db(&app).await;
    let taken = "SELECT CAST(position AS TEXT) FROM (SELECT position FROM all_messages UNION ALL SELECT position FROM changes
        UNION ALL SELECT read_position FROM memberships WHERE read_position NOT IN
        (SELECT position FROM all_messages UNION SELECT position FROM changes)) ORDER BY position";
    let positions: Vec<i64> = db_values(&db, taken)
        .await
        .iter()
        .map(|text| text.parse().expect("a number"))
        .collect();
    assert_eq!(positions, (1..=positions.len() as i64).collect::<Vec<_>>());
    let head = db_values(&db, "SELECT CAST(head AS TEXT) FROM shards").await;
    assert_eq!(head, [positions.len().to_string()]);
    assert_eq!(
        db_values(&db, "SELECT kind FROM changes ORDER BY position").await,
        [
            "FRIEND_REQUEST_CHANGED",
            "FRIEND_REQUEST_CHANGED",
            "FRIENDSHIP_BEGAN",
            "MEMBER_JOINED",
            "MEMBER_JOINED",
            "PROFILE_UPDATED",
            "CONVERSATION_UPDATED",
            "MEMBER_LEFT",
            "SESSION_ENDED"
        ]
    );
    assert_eq!(db_values(&db, "PRAGMA integrity_check").await, ["ok"]);
    assert_eq!(db_values(&db, "PRAGMA journal_mode").await, ["wal"]);
}

#[tokio::test]
async fn the_tables_are_what_the_entities_say() {
    async fn fits<E: EntityTrait>(db: &DatabaseConnection, table: &str) {
        let columns: BTreeSet<_> = E::Column::iter()
            .map(|column| column.as_str().to_owned())
            .collect();
        let found = db_values(
            db,
            &format!("SELECT name FROM pragma_table_info('{table}')"),
        )
        .await;
        assert_eq!(columns, found.into_iter().collect(), "{table}");
    }
    let app = TestApp::start().await;
    app.stop().await;
    let db = db(&app).await;
    fits::<entity::user::Entity>(&db, "users").await;
    fits::<entity::session::Entity>(&db, "sessions").await;
    fits::<entity::conversation::Entity>(&db, "conversations").await;
    fits::<entity::membership::Entity>(&db, "memberships").await;
    fits::<entity::message_key::Entity>(&db, "message_keys").await;
    fits::<entity::message_mark::Entity>(&db, "message_marks").await;
    fits::<entity::message::Entity>(&db, "messages").await;
    fits::<entity::message::Entity>(&db, "all_messages").await;
    fits::<entity::recent_message::Entity>(&db, "recent_messages").await;
    fits::<entity::change::Entity>(&db, "changes").await;
    fits::<entity::shard::Entity>(&db, "shards").await;
    fits::<entity::origin::Entity>(&db, "origin").await;
    fits::<entity::friend_request::Entity>(&db, "friend_requests").await;
    fits::<entity::friendship::Entity>(&db, "friendships").await;
    fits::<entity::block::Entity>(&db, "blocks").await;
    fits::<entity::ban::Entity>(&db, "bans").await;
    fits::<entity::channel_word::Entity>(&db, "channel_words").await;
    fits::<entity::closing_account::Entity>(&db, "closing_accounts").await;
}

#[tokio::test]
async fn secrets_are_not_in_the_database() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    app.stop().await;
    let token = alice.token.expect("a token");
    let bytes = std::fs::read(app.db_path()).expect("the file");
    let holds = |secret: &str| {
        bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes())
    };
    assert!(holds("alice"), "the file is the one");
    assert!(!holds(&token) && !holds(crate::support::PASSWORD));
}

#[tokio::test]
async fn migrations_go_back_and_forth() {
    use migration::{Migrator, MigratorTrait};
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!(
        "sqlite://{}?mode=rwc",
        directory.path().join("chat.db").display()
    );
    let db = Database::connect(url).await.expect("a connection");
    Migrator::up(&db, None).await.expect("up");
    Migrator::down(&db, None).await.expect("down");
    let left = db_values(
        &db,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    )
    .await;
    assert_eq!(left, ["seaql_migrations"]);
    Migrator::up(&db, Some(5)).await.expect("up again");
    // What was there before its handle was written beside it.
    for row in [
        "INSERT INTO users (id, handle, display_name, search_name, password_hash, created_at)
            VALUES (x'01', 'alice', '', '', '', 0), (x'02', 'bob', '', '', '', 0)",
        "INSERT INTO friendships (user_id, friend_id, id, created_at) VALUES (x'01', x'02', x'03', 0), (x'02', x'01', x'03', 0)",
    ] {
        db.execute_unprepared(row).await.expect("a row");
    }
    for row in [
        "INSERT INTO conversations (id, kind, posting_policy, invite_policy, created_at, creator_id, member_count, last_seq, active_at, head_position)
            VALUES (x'04', 'GROUP', 'EVERYONE', 'EVERYONE', 0, x'01', 1, 130, 0, 260)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 130)
            INSERT INTO messages (conversation_id, seq, sender_id, text, sent_at, position, idempotency_key)
            SELECT x'04', i, x'01', '', 0, 2 * i, iif(i % 2, 'key ' || i, NULL) FROM n",
    ] {
        db.execute_unprepared(row).await.expect("a row");
    }
    for _ in 0..2 {
        Migrator::up(&db, None).await.expect("up to the end");
        // Whoever sends again what they sent before is found, and so is who was away.
        for (found, expected) in [
            (
                "SELECT 'keys ' || count(*) || ' ' || min(seq) || ' ' || max(seq) FROM message_keys",
                "keys 65 1 129",
            ),
            (
                "SELECT 'seq ' || seq FROM message_keys WHERE idempotency_key = 'key 77' AND sender_id = x'01'",
                "seq 77",
            ),
            (
                "SELECT 'keyed ' || keyed_seq FROM conversations",
                "keyed 130",
            ),
            (
                "SELECT group_concat(seq || ' at ' || position) FROM message_marks",
                "64 at 128,128 at 256",
            ),
        ] {
            assert_eq!(db_values(&db, found).await, [expected]);
        }
        Migrator::down(&db, Some(3)).await.expect("down");
    }
    Migrator::up(&db, None).await.expect("up once more");
    let handles = "SELECT friend_handle FROM friendships ORDER BY user_id";
    assert_eq!(db_values(&db, handles).await, ["bob", "alice"]);
}

#[tokio::test]
async fn what_was_only_appended_is_kept_by_a_server_from_before() {
    use migration::{Migrator, MigratorTrait};
    let app = TestApp::start().await;
    app.stop().await;
    let db = db(&app).await;
    for rows in [
        "INSERT INTO users (id, handle, display_name, search_name, password_hash, created_at)
            VALUES (x'01', 'alice', '', '', '', 0)",
        "INSERT INTO conversations (id, kind, posting_policy, invite_policy, created_at, creator_id, member_count, last_seq,
            active_at, head_position) VALUES (x'04', 'GROUP', 'EVERYONE', 'EVERYONE', 0, x'01', 1, 192, 0, 384)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 130)
            INSERT INTO messages (conversation_id, seq, sender_id, text, sent_at, position)
            SELECT x'04', i, x'01', '', 0, 2 * i FROM n",
        "INSERT INTO message_marks SELECT conversation_id, position, seq FROM messages WHERE seq % 64 = 0",
        // Some are filed already.
        "WITH RECURSIVE n(i) AS (SELECT 125 UNION ALL SELECT i + 1 FROM n WHERE i < 192)
            INSERT INTO recent_messages (conversation_id, seq, sender_id, text, sent_at, position)
            SELECT x'04', i, x'01', '', 0, 2 * i FROM n",
    ] {
        db.execute_unprepared(rows).await.expect("rows");
    }
    let count = async |table: &str| {
        let count = format!("SELECT count(*) || ' up to ' || max(seq) FROM {table}");
        db_values(&db, &count).await.remove(0)
    };
    assert_eq!(count("all_messages").await, "192 up to 192");
    Migrator::down(&db, Some(1)).await.expect("down");
    assert_eq!(count("messages").await, "192 up to 192");
    assert_eq!(count("message_marks").await, "3 up to 192");
}

#[tokio::test]
async fn probes_tell_when_the_database_is_gone() {
    let app = TestApp::start().await;
    let ready = app.url.replace("graphql", "health/ready");
    assert_eq!(reqwest::get(&ready).await.expect("an answer").status(), 200);
    app.stop().await;
    until(|| async { reqwest::get(&ready).await.is_err().then_some(()) }).await;
    tokio::time::sleep(Duration::ZERO).await;
}
