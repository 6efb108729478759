//! Timeouts that users choose, kept within what [`Instant`] can represent.

use std::time::{Duration, Instant};

/// Upper bound for waits. Longer ones overflow [`Instant`] on some platforms.
pub const LONGEST_WAIT: Duration = Duration::from_secs(365 * 86_400);

/// Returns the instant `timeout` after `now`, where `timeout` may be [`Duration::MAX`].
///
/// ```
/// use std::time::{Duration, Instant};
/// use sentrace_outbox::{LONGEST_WAIT, deadline};
///
/// let now = Instant::now();
/// assert_eq!(deadline(now, Duration::MAX), now + LONGEST_WAIT);
/// ```
#[must_use]
pub fn deadline(now: Instant, timeout: Duration) -> Instant {
    now.checked_add(timeout.min(LONGEST_WAIT)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_timeout_is_too_long_for_the_clock() {
        let now = Instant::now();
        for (timeout, expected) in [
            (Duration::ZERO, Duration::ZERO),
            (Duration::from_secs(30), Duration::from_secs(30)),
            (LONGEST_WAIT, LONGEST_WAIT),
            (Duration::from_secs(u64::MAX), LONGEST_WAIT),
            (Duration::MAX, LONGEST_WAIT),
        ] {
            assert_eq!(deadline(now, timeout) - now, expected, "{timeout:?}");
        }
    }
}
