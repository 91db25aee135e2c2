//! What strangers write, read by the code that reads it: the corpora that libFuzzer has left (`make fuzz`), and mutations
//! of them for half a minute each, or `FUZZ_SECONDS`. No text may stop the process.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};

/// Pieces that make sense in many places, and nonsense that is met in none.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "\"\"\"",
    "\\",
    "\\u0000",
    "\\ud800",
    ":",
    ",",
    "...",
    "on ",
    "$",
    "@",
    "!",
    "=",
    "#",
    "\n",
    "query",
    "mutation",
    "subscription",
    "fragment F on Query",
    "__schema",
    "null",
    "true",
    "-0",
    "1e999999",
    "99999999999999999999",
    "\u{0}",
    "\u{feff}",
    "\u{10ffff}",
    "ä",
    ";q=0.5",
    "*/*",
    "serve",
    "--demo",
    "=on",
];

fn corpus(target: &str) -> Vec<String> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let files = std::fs::read_dir(&directory).expect("a corpus");
    let mut texts: Vec<_> = files
        .map(|file| std::fs::read(file.expect("a file").path()).expect("bytes"))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    texts.sort();
    assert!(!texts.is_empty(), "{target} has no corpus");
    texts
}

fn cut(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

fn mutate(texts: &[String], random: &mut StdRng) -> String {
    let mut text = texts[random.random_range(0..texts.len())].clone();
    for _ in 0..random.random_range(1..6) {
        let at = cut(&text, random.random_range(0..=text.len()));
        let end = cut(&text, at + random.random_range(0..16)).max(at);
        match random.random_range(0..5) {
            0 => text.replace_range(at..end, ""),
            1 => text.insert_str(at, PIECES[random.random_range(0..PIECES.len())]),
            2 => {
                let part = text[at..end].repeat(random.random_range(1..50));
                text.insert_str(at, &part);
            }
            3 => text.truncate(at),
            _ => {
                let other = &texts[random.random_range(0..texts.len())];
                let from = cut(other, random.random_range(0..=other.len()));
                text.insert_str(at, &other[from..]);
            }
        }
        text.truncate(cut(&text, 40_000));
    }
    text
}

/// Throws texts; how many, and how many of them made sense.
fn throw(target: &str, mut at: impl FnMut(&str) -> bool) {
    let seconds = std::env::var("FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(30));
    let texts = corpus(target);
    let known = texts.iter().filter(|text| at(text)).count();
    let mut random = StdRng::seed_from_u64(1);
    let (mut thrown, mut sensible) = (0, 0);
    while Instant::now() < end {
        thrown += 1;
        sensible += usize::from(at(&mutate(&texts, &mut random)));
    }
    println!(
        "{target}: {} known texts, {known} sensible; {thrown} mutations, {sensible} sensible",
        texts.len()
    );
    assert!(known > 0, "a corpus of nonsense tests nothing");
}

#[test]
fn no_document_stops_the_process() {
    throw("document", parlor::fuzz::document);
}

#[test]
fn no_request_stops_the_process() {
    throw("request", parlor::fuzz::request);
}

#[test]
fn no_message_on_a_socket_stops_the_process() {
    throw("socket_message", parlor::fuzz::socket_message);
}

#[test]
fn no_head_of_a_request_stops_the_process() {
    throw("head", parlor::fuzz::head);
}

#[test]
fn no_name_stops_the_process_and_each_has_one_form() {
    throw("names", parlor::fuzz::names);
}

#[test]
fn no_command_line_stops_the_process() {
    throw("configuration", parlor::fuzz::configuration);
}
