//! How large each scenario is, in full and in short.

use std::time::Duration;

/// Sockets that Parlor lets one user have.
pub(crate) const SOCKETS_PER_PERSON: usize = 16;

pub(crate) struct Sizes {
    /// How often each thing is measured; the table has medians.
    pub(crate) repetitions: usize,
    /// Messages sent one at a time.
    pub(crate) latency_messages: u32,
    pub(crate) warm_up: Duration,
    /// For how long senders under load are counted.
    pub(crate) window: Duration,
    pub(crate) listeners: usize,
    pub(crate) fan_out_messages: u32,
    pub(crate) idle: usize,
    /// For how long nothing happens while CPU is read.
    pub(crate) idle_watch: Duration,
    /// Messages in one conversation, ascending.
    pub(crate) history: [u32; 2],
    /// Pages asked for one at a time.
    pub(crate) pages: u32,
    /// For how long many ask for pages.
    pub(crate) pages_window: Duration,
    pub(crate) storm: usize,
    /// Messages that each of the storm missed.
    pub(crate) missed: u32,
    pub(crate) log_ins: usize,
}

impl Sizes {
    /// What the table in README is made with.
    pub(crate) fn full() -> Self {
        Self {
            repetitions: 3,
            latency_messages: 1_000,
            warm_up: Duration::from_secs(2),
            window: Duration::from_secs(10),
            listeners: 1_000,
            fan_out_messages: 50,
            idle: 10_000,
            idle_watch: Duration::from_secs(10),
            history: [100_000, 1_000_000],
            pages: 500,
            pages_window: Duration::from_secs(3),
            storm: 1_000,
            missed: 50,
            log_ins: 200,
        }
    }

    /// Whether everything works, within two minutes; its figures are no figures.
    pub(crate) fn short() -> Self {
        Self {
            repetitions: 1,
            latency_messages: 200,
            warm_up: Duration::from_millis(500),
            window: Duration::from_secs(2),
            listeners: 200,
            fan_out_messages: 20,
            idle: 1_000,
            idle_watch: Duration::from_secs(2),
            history: [5_000, 10_000],
            pages: 100,
            pages_window: Duration::from_secs(1),
            storm: 160,
            missed: 20,
            log_ins: 40,
        }
    }
}
