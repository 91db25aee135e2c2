//! Deliberate faults, for the tests of the tests. They are in no build but that of the tests (feature `faults`): without
//! it a fault is never planted and a point never stops anything, and the compiler leaves both out.
//!
//! Two sorts. A [`Fault`] is a bug that somebody could write, in its plainest form; the simulation must notice each. A
//! [`Point`] is a place at which a test may stop, refuse, break or kill what runs there.

use crate::store;

/// A bug that is planted on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Listeners are told what a crash could still undo.
    PublishBeforeCommit,
    /// Numbers, and all that a batch changed in memory, are kept although its transaction was rolled back.
    SeqOutsideTheTransaction,
    /// What was missed is not read before what happens now is told.
    LiveBeforeCatchUp,
    /// A full inbox leaves out what does not fit.
    LagThatDrops,
    /// Who was removed is handed what is said afterwards.
    RemovalAppliedLate,
    /// A cursor says one more than was told.
    CursorOffByOne,
    /// A known key is neither looked for nor kept where the message is stored.
    KeyCheckedOutside,
    /// When some keys of a conversation go into their index, those that do not go with them are forgotten too.
    KeysForgottenBeforeTheyAreIndexed,
    /// The time of a message is what the clock says, whatever it said before.
    TimeFromTheClockOnly,
    /// A key is somebody's, whoever sent it.
    RetryAnsweredFromAnotherSender,
    /// Of what was missed only the first page is told.
    ResumeStopsAtAPage,
    /// What somebody follows is of another moment than the place from which they hear.
    MembershipsOfAnotherMoment,
    /// All writes of a batch are allowed by what was so when it began.
    BulkCheckForABatch,
    /// What is gone since makes its frame an error.
    GoneIsAnError,
    /// A stream that falls behind begins a little before where it was.
    CursorGoesBack,
}

/// A place on the way of a write, or of a read of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Before a batch is stored.
    BeforeWrite,
    /// It is stored, and not committed.
    BeforeCommit,
    /// It is committed, and nobody knows.
    AfterCommit,
    /// The hub is told next.
    BeforePublish,
    /// One of two people was told.
    BetweenListeners,
    /// Between two statements of a read of the log.
    BetweenReads,
}

#[cfg(feature = "faults")]
mod planted {
    use std::{
        future::{Future, ready},
        pin::Pin,
        str::FromStr,
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
    };

    use super::{Fault, Point, store};

    /// What a test wants of whoever reaches a point.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Verdict {
        /// As if nothing were there.
        GoOn,
        /// The database is held by somebody else.
        Refuse,
        /// The storage fails.
        Break,
    }

    /// Decides what happens at a point; may wait first.
    pub trait Hook: Send + Sync {
        /// Somebody is there.
        fn reach(&self, point: Point) -> Pin<Box<dyn Future<Output = Verdict> + Send + '_>>;
        /// The same for those who can't wait.
        fn pass(&self, _point: Point) {}
    }

    /// Kills the process, as a power cut of the process does, when a point is reached so many times.
    #[derive(Debug, Clone)]
    pub struct Death {
        point: Point,
        left: Arc<AtomicU64>,
    }

    impl FromStr for Death {
        type Err = String;

        /// A point and a number, as in `after-commit:17`.
        fn from_str(text: &str) -> Result<Self, String> {
            let (point, times) = text.split_once(':').ok_or("as in after-commit:17")?;
            let point = match point {
                "before-write" => Point::BeforeWrite,
                "before-commit" => Point::BeforeCommit,
                "after-commit" => Point::AfterCommit,
                "before-publish" => Point::BeforePublish,
                "between-listeners" => Point::BetweenListeners,
                "between-reads" => Point::BetweenReads,
                _ => return Err(format!("no point is called {point}")),
            };
            let times: u64 = times.parse().map_err(|_| "no number of times")?;
            Ok(Self {
                point,
                left: Arc::new(AtomicU64::new(times.max(1))),
            })
        }
    }

    impl Hook for Death {
        fn reach(&self, point: Point) -> Pin<Box<dyn Future<Output = Verdict> + Send + '_>> {
            self.pass(point);
            Box::pin(ready(Verdict::GoOn))
        }

        fn pass(&self, point: Point) {
            if point == self.point && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
                std::process::abort();
            }
        }
    }

    /// What is planted.
    #[derive(Clone, Default)]
    pub struct Faults {
        /// The bug.
        pub fault: Option<Fault>,
        /// Who decides at points.
        pub hook: Option<Arc<dyn Hook>>,
    }

    impl std::fmt::Debug for Faults {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:?}", self.fault)
        }
    }

    impl Faults {
        /// Whether this bug is planted.
        pub(crate) fn has(&self, fault: Fault) -> bool {
            self.fault == Some(fault)
        }

        /// Somebody is at a point, and goes on only if a test lets them.
        pub(crate) async fn reach(&self, point: Point) -> Result<(), store::Error> {
            let Some(hook) = &self.hook else {
                return Ok(());
            };
            match hook.reach(point).await {
                Verdict::GoOn => Ok(()),
                Verdict::Refuse => Err(store::Error::refused_by_a_test()),
                Verdict::Break => Err(store::Error::broken_by_a_test()),
            }
        }

        /// Somebody is at a point who can't wait.
        pub(crate) fn pass(&self, point: Point) {
            if let Some(hook) = &self.hook {
                hook.pass(point);
            }
        }
    }
}

#[cfg(feature = "faults")]
pub use planted::{Death, Faults, Hook, Verdict};

/// Nothing is planted.
#[cfg(not(feature = "faults"))]
#[derive(Debug, Clone, Default)]
pub struct Faults;

#[cfg(not(feature = "faults"))]
impl Faults {
    pub(crate) fn has(&self, _fault: Fault) -> bool {
        false
    }

    pub(crate) async fn reach(&self, _point: Point) -> Result<(), store::Error> {
        Ok(())
    }

    pub(crate) fn pass(&self, _point: Point) {}
}
