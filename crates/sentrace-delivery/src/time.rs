//! Times that users choose, kept where clocks can count.

use std::time::{Duration, Instant};

/// The longest time that anything waits; longer ones would overflow [`Instant`] on some platforms.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// The end of a time that somebody chose, which may be [`Duration::MAX`].
pub(crate) fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(time.min(LONGEST)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_too_long_for_the_clock() {
        let now = Instant::now();
        for (time, expected) in [
            (Duration::ZERO, Duration::ZERO),
            (Duration::from_secs(30), Duration::from_secs(30)),
            (LONGEST, LONGEST),
            (Duration::from_secs(u64::MAX), LONGEST),
            (Duration::MAX, LONGEST),
        ] {
            assert_eq!(after(now, time) - now, expected, "{time:?}");
        }
    }
}
