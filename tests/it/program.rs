//! The program, as an operator meets it: flags, variables, one clear line when it cannot start.

use serde_json::json;

use crate::support::{
    Client, PASSWORD,
    client::sign_up,
    program::{Program, refuse, run},
};

#[tokio::test]
async fn it_takes_a_free_port_says_so_and_answers_its_probes() {
    let directory = tempfile::tempdir().expect("a directory");
    let program = Program::serve(&directory.path().join("chat.db"), &[]);
    assert_eq!(program.said.len(), 1, "one line: {:?}", program.said);
    assert!(!program.url.contains(":0/"), "{}", program.url);
    for probe in ["live", "ready"] {
        let url = program.url.replace("graphql", &format!("health/{probe}"));
        assert_eq!(reqwest::get(url).await.expect("an answer").status(), 200);
    }
    program.signal("TERM");
    assert_eq!(program.ended().await.code(), Some(0));
}

#[tokio::test]
async fn the_demo_introduces_people_who_have_talked_already() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("chat.db");
    for _ in 0..2 {
        let program = Program::serve(&database, &["--demo"]);
        let line = program
            .said
            .iter()
            .find(|line| line.contains("bob"))
            .expect("bob is introduced");
        let token = line
            .split("Bearer ")
            .nth(1)
            .expect("a token")
            .trim_end_matches("\"}");
        let bob = Client::new(&program.url, Some(token));
        let document = "{viewer{user{handle} unreadCount conversations{edges{node{title lastMessage{text sender{handle}}}}}}}";
        let seen = bob.query(document, json!({})).await;
        assert_eq!(seen.text("/viewer/user/handle"), "bob");
        assert_eq!(
            seen.at("/viewer/conversations/edges")
                .as_array()
                .map(Vec::len),
            Some(4),
            "not filled again"
        );
        let input = json!({"handle": "carol", "password": PASSWORD});
        assert_eq!(
            bob.mutate("logIn", "token{value}", input).await.refusals(),
            []
        );
        program.signal("INT");
        assert_eq!(program.ended().await.code(), Some(0));
    }
}

#[test]
fn flags_can_be_variables_and_the_help_teaches() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!(
        "sqlite://{}?mode=rwc",
        directory.path().join("chat.db").display()
    );
    let migrated = run(&["migrate"], &[("PARLOR_DATABASE_URL", &url)]);
    assert_eq!((migrated.code, migrated.stderr.as_str()), (Some(0), ""));
    assert!(directory.path().join("chat.db").exists());
    assert_eq!(
        run(&["migrate", "--database-url", &url], &[]).code,
        Some(0),
        "again is fine"
    );
    let help = run(&["serve", "--help"], &[]);
    for word in [
        "--listen",
        "PARLOR_LISTEN",
        "--database-url",
        "PARLOR_DATABASE_URL",
        "--rate-limits",
        "--demo",
        "Port 0",
    ] {
        assert!(help.stdout.contains(word), "{word}");
    }
    assert_eq!(run(&["serve", "--rate-limits", "maybe"], &[]).code, Some(2));
    assert_eq!(run(&["serve", "--listen", "nowhere"], &[]).code, Some(2));
    assert_eq!(run(&[], &[]).code, Some(2));
}

#[test]
fn the_schema_is_printed() {
    let printed = run(&["schema"], &[]);
    assert_eq!(
        (printed.code, printed.stdout),
        (Some(0), parlor::graphql::sdl())
    );
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_one_clear_line_and_exit_code_2() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("chat.db");
    let program = Program::serve(&database, &[]);
    let url = |path: &str| format!("sqlite://{}/{path}?mode=rwc", directory.path().display());
    let taken = program
        .url
        .trim_start_matches("http://")
        .trim_end_matches("/graphql")
        .to_owned();
    std::fs::write(
        directory.path().join("text.db"),
        "this is no database, and long enough to be seen as none".repeat(50),
    )
    .expect("written");
    std::fs::write(directory.path().join("file"), "").expect("written");
    let free = "127.0.0.1:0";
    let rows = [
        (&*taken, url("other.db"), "cannot listen at"),
        (free, url("chat.db"), "is in use by another parlor"),
        (free, url("no/such/chat.db"), "cannot write beside"),
        (free, url("file/chat.db"), "cannot write beside"),
        (free, url("text.db"), "cannot open the database"),
        (
            free,
            url("absent.db").replace("?mode=rwc", ""),
            "cannot open",
        ),
        (free, "mysql://localhost/chat".to_owned(), "sqlite://PATH"),
        (free, "sqlite::memory:".to_owned(), "in-memory"),
    ];
    for (listen, database_url, line) in rows {
        let ended = refuse(&["serve", "--listen", listen, "--database-url", &database_url]);
        assert_eq!(ended.code, Some(2), "{line}: {}", ended.stderr);
        assert!(ended.stderr.contains(line), "{line}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{line}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{line}");
    }
    let alice = sign_up(&program.url, "alice").await;
    assert!(!alice.id.is_empty(), "the first server goes on as before");
}

#[tokio::test]
async fn another_epoch_tells_every_client_to_load_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("chat.db");
    let url = format!("sqlite://{}", database.display());
    let new_epoch = ["epoch", "new", "--database-url", &url];
    let program = Program::serve(&database, &[]);
    let alice = sign_up(&program.url, "alice").await;
    let cursor = alice.event_cursor().await;
    let refused = refuse(&new_epoch);
    assert_eq!(refused.code, Some(2), "while it is served");
    assert!(refused.stderr.contains("in use"), "{}", refused.stderr);
    program.signal("TERM");
    program.ended().await;

    assert_eq!(run(&new_epoch, &[]).code, Some(0));
    let program = Program::serve(&database, &[]);
    let alice = alice.at(&program.url);
    let frame = alice.events_after(&cursor).await.frame().await;
    assert_eq!(frame.0["resync"], json!("CURSOR_INVALID"));
    let (missed, _) = alice.missed(&frame.cursor()).await;
    assert_eq!(missed, [json!(null); 0], "from there it goes on");
}
