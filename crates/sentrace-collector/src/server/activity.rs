//! What each connection is doing, for the choice of the one to give up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When a connection last made progress, and whether it waits for the collector.
#[derive(Debug)]
pub(super) struct Activity {
    /// The same for all connections.
    since: Instant,
    /// In milliseconds since then.
    last: AtomicU64,
    answering: AtomicBool,
}

impl Activity {
    /// Of a connection that has just been accepted.
    pub(super) fn new(since: Instant) -> Self {
        let activity = Self { since, last: AtomicU64::new(0), answering: AtomicBool::new(false) };
        activity.touch();
        activity
    }

    /// Some bytes have come or gone.
    pub(super) fn touch(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Whether the client has done its part and waits.
    pub(super) fn set_answering(&self, answering: bool) {
        self.answering.store(answering, Ordering::Relaxed);
    }

    /// For how long the client has kept the collector waiting; `None` if it is the other way round.
    pub(super) fn idle_for(&self) -> Option<Duration> {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        (!self.answering.load(Ordering::Relaxed)).then(|| self.since.elapsed().saturating_sub(last))
    }
}
