//! Behaviour, through the real router, real sockets and a real database: one binary, one file per noun.

#![expect(
    clippy::print_stdout,
    clippy::cast_possible_wrap,
    clippy::disallowed_methods,
    reason = "tests print the figures of a run, count with whole numbers, and own their tasks"
)]

mod access;
mod account;
mod archive;
mod channel;
mod conversation;
mod crash;
mod direct;
mod edge;
mod event;
mod event_stream;
mod filing;
mod friend;
mod fuzz;
mod http;
mod ledger;
mod membership;
mod message;
mod message_key;
mod metrics;
mod origin;
#[cfg(target_os = "linux")]
mod power_cut;
mod prepared;
mod presence;
mod program;
mod race;
mod reading;
mod rendering;
mod restless;
mod resume;
mod resumes;
mod schema;
mod session;
mod shutdown;
mod simulation;
mod socket;
mod statements;
mod storage;
mod storm;
mod stream;
mod support;
mod tidy;
mod typing;
mod user;
