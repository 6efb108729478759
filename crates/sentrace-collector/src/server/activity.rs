//! The activity of connections, to choose the one to close.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When a connection last made progress, and whether it waits for the collector.
#[derive(Debug)]
pub(super) struct Activity {
    /// The reference time, which all connections share.
    since: Instant,
    /// The last progress, in milliseconds since the reference time.
    last: AtomicU64,
    answering: AtomicBool,
}

impl Activity {
    /// Creates the activity of a connection that has just been accepted.
    pub(super) fn new(since: Instant) -> Self {
        let activity = Self { since, last: AtomicU64::new(0), answering: AtomicBool::new(false) };
        activity.touch();
        activity
    }

    /// Records that bytes were received or sent.
    pub(super) fn touch(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Sets whether the client is waiting for the collector's answer.
    pub(super) fn set_answering(&self, answering: bool) {
        self.answering.store(answering, Ordering::Relaxed);
    }

    /// Returns how long the collector has been waiting for the client, or `None` if the client is
    /// waiting.
    pub(super) fn idle_for(&self) -> Option<Duration> {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        (!self.answering.load(Ordering::Relaxed)).then(|| self.since.elapsed().saturating_sub(last))
    }
}
