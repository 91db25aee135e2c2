//! The rules of the house, read from its files.

use std::path::{Path, PathBuf};

/// Which rooms a room may use. `model` is for everybody.
const ARROWS: [(&str, &[&str]); 8] = [
    ("model", &[]),
    ("store", &["model"]),
    ("bus", &["model"]),
    ("log", &["model", "store", "bus"]),
    ("live", &["model", "store", "bus"]),
    ("chat", &["model", "store", "log", "live"]),
    ("graphql", &["model", "store", "live", "chat"]),
    ("transport", &["model", "live", "chat", "graphql"]),
];

/// Which rooms may name a library: nobody else learns what is behind the wall.
const WALLS: [(&str, &[&str]); 6] = [
    ("sea_orm", &["store"]),
    ("rusqlite", &["store"]),
    ("entity::", &["store"]),
    ("migration::", &["store"]),
    ("axum", &["transport"]),
    ("async_graphql", &["graphql", "transport"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources(rooms: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for room in rooms {
        files(&root().join(room), &mut found);
    }
    found.sort();
    assert!(!found.is_empty());
    let name = |path: &Path| {
        path.strip_prefix(root())
            .expect("inside")
            .display()
            .to_string()
    };
    found
        .iter()
        .map(|path| (name(path), std::fs::read_to_string(path).expect("text")))
        .collect()
}

/// What of a file is not test.
fn product(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn rooms_use_only_the_rooms_below_them() {
    let rooms: Vec<_> = ARROWS.iter().map(|(room, _)| *room).collect();
    for (file, text) in sources(&["src"]) {
        let Some((_, allowed)) = ARROWS
            .iter()
            .find(|(room, _)| file.starts_with(&format!("src/{room}/")))
        else {
            continue;
        };
        let own = file.split('/').nth(1).expect("a room");
        // `use crate::{a, b::c}` and `crate::a::b` both name rooms right behind `crate::` or a brace of it.
        for part in text.split("crate::").skip(1) {
            let end = if part.starts_with('{') {
                part.find("};").unwrap_or(part.len())
            } else {
                part.find([':', ';', ' ']).unwrap_or(part.len())
            };
            for room in &rooms {
                let named = part[..end]
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| word == *room);
                let is_module = part[..end].contains(&format!("{room}::"))
                    || part[..end].trim_matches('{') == *room
                    || part.starts_with(&format!("{room}::"));
                assert!(
                    !(named && is_module) || *room == own || allowed.contains(room),
                    "{file} may not use `{room}`"
                );
            }
        }
    }
}

#[test]
fn libraries_stay_behind_their_walls() {
    for (file, text) in sources(&["src"]) {
        for (library, rooms) in WALLS {
            let inside = rooms
                .iter()
                .any(|room| file.starts_with(&format!("src/{room}/")));
            let line = text
                .lines()
                .find(|line| line.contains(library) && !line.trim_start().starts_with("//"));
            assert!(
                inside || line.is_none(),
                "{file} may not name {library}: {line:?}"
            );
        }
    }
}

#[test]
fn files_say_what_they_are_for_and_are_not_too_long() {
    for (file, text) in sources(&["src", "entity", "migration", "tests"]) {
        assert!(text.starts_with("//!"), "{file} has no head");
        let lines = text.lines().count();
        assert!(
            lines <= if file.starts_with("tests/") { 600 } else { 400 },
            "{file} has {lines} lines"
        );
    }
}

#[test]
fn nothing_panics_on_purpose_and_nothing_is_left_over() {
    for (file, text) in sources(&["src", "entity", "migration"]) {
        for banned in [
            ".unwrap()",
            ".expect(",
            "panic!(",
            "unreachable!(",
            "todo!(",
            "unimplemented!(",
            "dbg!(",
        ] {
            assert!(!product(&text).contains(banned), "{file} has {banned}");
        }
    }
    for (file, text) in sources(&["src", "entity", "migration", "tests"]) {
        if file.ends_with("tidy.rs") {
            continue;
        }
        for mark in ["TODO", "FIXME", "XXX", "HACK"] {
            assert!(!text.contains(mark), "{file} has a {mark}");
        }
    }
}

#[test]
fn what_tests_plant_is_in_no_other_build() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("text");
    assert!(
        !manifest.contains("default = ["),
        "no feature is on by itself"
    );
    let wants: Vec<_> = manifest
        .lines()
        .filter(|line| line.contains("\"faults\""))
        .collect();
    assert_eq!(
        wants,
        ["parlor = { path = \".\", features = [\"faults\"] }"]
    );
    let (_, tests) = manifest
        .split_once("[dev-dependencies]")
        .expect("what tests need");
    assert!(tests.contains(wants[0]), "only the tests are built with it");
}

#[test]
fn names_are_the_field_s_own() {
    for (file, text) in sources(&["src"]) {
        for line in text.lines().filter(|line| {
            line.contains("struct ") || line.contains("enum ") || line.contains("trait ")
        }) {
            for ending in [
                "Manager", "Helper", "Util", "Utils", "Service", "Impl", "Info ",
            ] {
                let page_info = line.contains("PageInfo");
                assert!(
                    page_info
                        || !line.contains(&format!("{ending} "))
                            && !line.contains(&format!("{ending}<")),
                    "{file}: {line}"
                );
            }
        }
    }
}

#[test]
fn the_map_names_only_what_is_there() {
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        let text = std::fs::read_to_string(root().join(document)).expect("a document");
        for path in text.split('`').filter(|part| {
            part.starts_with("src/")
                || part.starts_with("tests/")
                || part.starts_with("entity/")
                || part.starts_with("migration/")
        }) {
            let path = path.split("::").next().expect("a path");
            assert!(
                root().join(path).exists(),
                "{document} names {path}, which is not there"
            );
        }
    }
}
