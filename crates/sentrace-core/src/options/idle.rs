//! The timeouts of idle transactions.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use crate::diagnostics;
use crate::options::Options;

/// The browser SDK's values when it introduced activities.
const IDLE_TIMEOUT: Duration = Duration::from_millis(500);
const FINAL_TIMEOUT: Duration = Duration::from_secs(30);

/// Checking more often would be busy waiting.
const MIN_TIMEOUT: Duration = Duration::from_millis(1);
/// Practically never, and small enough to be added to any time.
const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

/// Both timeouts of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) idle: Duration,
    pub(crate) last: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { idle: IDLE_TIMEOUT, last: FINAL_TIMEOUT }
    }
}

impl Timeouts {
    /// Warns that idle transactions never end by being idle.
    pub(crate) fn warn_if_idle_exceeds_final(&self) {
        let Self { idle, last } = self;
        if idle > last {
            diagnostics::warn(format_args!(
                "idle_timeout {idle:?} is longer than final_timeout {last:?}: idle transactions end by the latter, as \
                 deadline_exceeded, and never by being idle; raise final_timeout"
            ));
        }
    }
}

fn bounded(timeout: Duration) -> Duration {
    timeout.clamp(MIN_TIMEOUT, MAX_TIMEOUT)
}

impl Options {
    /// Sets how long an [idle transaction](crate::start_idle_transaction) waits for activity before
    /// it ends. Defaults to 500 milliseconds; at least one. The wait is not part of its duration.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle.idle = bounded(timeout);
        self
    }

    /// Sets how long an [idle transaction](crate::start_idle_transaction) lasts at most, regardless
    /// of activity. Defaults to 30 seconds. A transaction that this ends has the status
    /// `deadline_exceeded`.
    #[must_use]
    pub fn final_timeout(mut self, timeout: Duration) -> Self {
        self.idle.last = bounded(timeout);
        self
    }
}

/// Options of one idle transaction.
///
/// ```
/// use std::time::Duration;
/// use sentrace_core::IdleOptions;
///
/// // A conversation may be silent for a while, and last for an hour.
/// let options = IdleOptions::new()
///     .idle_timeout(Duration::from_secs(10))
///     .final_timeout(Duration::from_secs(3600))
///     .separate();
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[must_use = "options do nothing until something is started with them"]
pub struct IdleOptions {
    idle: Option<Duration>,
    last: Option<Duration>,
    pub(crate) separate: bool,
}

impl IdleOptions {
    /// Creates options that are the same as the client's.
    pub const fn new() -> Self {
        Self { idle: None, last: None, separate: false }
    }

    /// Sets how long it waits for activity. Takes precedence over [`Options::idle_timeout`].
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle = Some(bounded(timeout));
        self
    }

    /// Sets how long it lasts at most. Takes precedence over [`Options::final_timeout`].
    pub fn final_timeout(mut self, timeout: Duration) -> Self {
        self.last = Some(bounded(timeout));
        self
    }

    /// Makes it one of many: it does not end the client's previous one, and only its own scope and
    /// handle find it.
    pub const fn separate(mut self) -> Self {
        self.separate = true;
        self
    }

    pub(crate) fn or_defaults(self, timeouts: Timeouts) -> Timeouts {
        static WARNED: AtomicBool = AtomicBool::new(false);
        let over =
            Timeouts { idle: self.idle.unwrap_or(timeouts.idle), last: self.last.unwrap_or(timeouts.last) };
        // The client's own timeouts were checked already.
        if (self.idle.is_some() || self.last.is_some())
            && over.idle > over.last
            && !WARNED.swap(true, Relaxed)
        {
            over.warn_if_idle_exceeds_final();
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_about_a_timeout_counts() {
        let client = Options::new().idle_timeout(Duration::from_secs(1)).idle;
        let own = IdleOptions::new().final_timeout(Duration::from_secs(2)).or_defaults(client);
        assert_eq!((own.idle, own.last), (Duration::from_secs(1), Duration::from_secs(2)));
        assert_eq!(IdleOptions::new().or_defaults(Timeouts::default()).idle, IDLE_TIMEOUT);
    }

    #[test]
    fn timeouts_stay_within_what_can_be_waited_for() {
        let rows = [
            (Duration::ZERO, MIN_TIMEOUT, "no time would be spinning"),
            (Duration::from_secs(1), Duration::from_secs(1), "usual"),
            (Duration::MAX, MAX_TIMEOUT, "never"),
        ];
        for (asked, expected, reason) in rows {
            let options = Options::new().idle_timeout(asked).final_timeout(asked);
            assert_eq!((options.idle.idle, options.idle.last), (expected, expected), "{reason}");
        }
    }
}
