//! Doors for fuzzers: everything that reads what a stranger wrote, each as a function of a text. They are in no build but
//! that of the tests (feature `faults`). `make fuzz` has libFuzzer behind them, `make test` half a minute of mutations.

use std::sync::Arc;

use clap::Parser;

use crate::{
    config::{Cli, Command},
    model::{
        ConversationId, Cursor, Epoch, Limits, MembershipId, MessageId, NodeId, SessionId, UserId,
        message::MessageKey,
        page::{PageArguments, PageRequest, cursor},
        text,
    },
};
pub use crate::{
    graphql::fuzz::{document, request},
    transport::fuzz::{head, socket_message},
};

/// A name that clients hold: of a thing, of a place in a stream; and what people call themselves. What can be read is
/// written again as it was.
///
/// Whether it is the name of a thing or a place.
///
/// # Panics
/// Where it is not.
pub fn names(name: &str) -> bool {
    fn round<T: std::str::FromStr + ToString>(name: &str) -> bool {
        let read = name.parse::<T>();
        if let Ok(id) = &read {
            assert_eq!(id.to_string(), name);
        }
        read.is_ok()
    }
    let mut is_name = [
        round::<UserId>,
        round::<ConversationId>,
        round::<MembershipId>,
        round::<SessionId>,
        round::<MessageId>,
    ]
    .into_iter()
    .any(|round| round(name));
    // What it is a name of is found by its kind.
    is_name |= name.parse::<NodeId>().is_ok();
    let heads = Arc::from(vec![i64::MAX]);
    let epoch = Epoch([7; 16]);
    if let Ok(cursor) = Cursor::read(name, epoch, &heads) {
        assert_eq!(cursor.write(epoch), name);
        is_name = true;
    }
    let limits = Limits::default();
    let page = PageArguments {
        after: Some(name.to_owned()),
        ..PageArguments::default()
    };
    if let Ok(page) = PageRequest::<MessageKey>::parse(&page, &limits)
        && let Some(after) = page.after
    {
        assert_eq!(cursor(&after), name);
        is_name = true;
    }
    if let Ok(handle) = text::handle(name) {
        assert_eq!(text::handle(&handle).ok(), Some(handle));
    }
    if let Ok(message) = text::message_text(name, &limits) {
        assert_eq!(message, name, "a message is what was said");
    }
    for rule in [
        text::display_name,
        text::device_name,
        text::title,
        text::topic,
        text::idempotency_key,
        text::password,
        text::avatar_url,
    ] {
        drop(rule(name));
    }
    text::searched(name);
    text::from_each_word(name);
    is_name
}

/// A command line, a word a line. Whether it is one.
pub fn configuration(lines: &str) -> bool {
    let words = ["parlor"].into_iter().chain(lines.split('\n'));
    let read = Cli::try_parse_from(words);
    if let Ok(Cli {
        command: Command::Serve(flags),
        ..
    }) = &read
    {
        flags.limits();
        flags.doors();
    }
    read.is_ok()
}
