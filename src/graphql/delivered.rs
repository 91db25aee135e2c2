//! How the responses of subscriptions came to be, counted: what they cost depends on it.

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// How a response came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// Executed for another listener, who is told the same.
    Shared,
    /// Executed, for this listener and others.
    ForAll,
    /// Executed, for this listener alone: it depends on who asks, or nobody else hears the same.
    ForViewer,
}

/// The counts.
pub(super) struct Delivered {
    shared: Counter,
    for_all: Counter,
    for_viewer: Counter,
    by_how: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Delivered {
    pub(super) fn new() -> Self {
        let by_how = Family::default();
        // Looked up once: the family is behind a lock.
        let made = |how| Counter::clone(&by_how.get_or_create(&[("made", how)]));
        Self {
            shared: made("shared"),
            for_all: made("for_all"),
            for_viewer: made("for_viewer"),
            by_how,
        }
    }

    pub(super) fn count(&self, made: Made) {
        let counter = match made {
            Made::Shared => &self.shared,
            Made::ForAll => &self.for_all,
            Made::ForViewer => &self.for_viewer,
        };
        counter.inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let help =
            "Responses of subscriptions: made for another listener, for all, or for the one alone";
        registry.register("deliveries", help, self.by_how.clone());
    }
}
