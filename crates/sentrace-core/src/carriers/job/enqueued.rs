//! When a message was queued.

use std::fmt;
use std::time::{Duration, SystemTime};

/// The name that Sentry's SDKs use.
pub(super) const HEADER: &str = "sentry-task-enqueued-time";

const MICROS: f64 = 1e6;
/// No message from before this (the year 2001) is still to be processed: it is 0, or another kind
/// of number.
const EARLIEST: f64 = 1e9;
/// From here on (the year 5138), a number is in milliseconds, as some senders write it.
const MILLISECONDS_FROM: f64 = 1e11;

/// Microseconds since 1970, written as seconds with decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Enqueued(u64);

impl Enqueued {
    pub(super) fn now() -> Option<Self> {
        since_epoch().and_then(|since| u64::try_from(since.as_micros()).ok()).map(Self)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::from_seconds(text.trim().parse().ok()?)
    }

    pub(super) fn from_seconds(number: f64) -> Option<Self> {
        let seconds = if number < MILLISECONDS_FROM { number } else { number / 1000.0 };
        is_plausible(seconds).then(|| Self((seconds * MICROS).round() as u64))
    }

    pub(super) fn as_seconds(self) -> f64 {
        self.0 as f64 / MICROS
    }

    pub(super) fn from_micros(micros: u64) -> Option<Self> {
        is_plausible(micros as f64 / MICROS).then_some(Self(micros))
    }

    pub(super) const fn as_micros(self) -> u64 {
        self.0
    }

    pub(super) fn elapsed(self) -> Option<Duration> {
        since_epoch()?.checked_sub(Duration::from_micros(self.0))
    }
}

impl fmt::Display for Enqueued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_seconds())
    }
}

fn is_plausible(seconds: f64) -> bool {
    (EARLIEST..MILLISECONDS_FROM).contains(&seconds)
}

fn since_epoch() -> Option<Duration> {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn seconds_and_milliseconds_are_told_apart() {
        let rows = [
            ("1755000000.123456", Some(1_755_000_000_123_456), "seconds with decimals, as written here"),
            (" 1755000000 ", Some(1_755_000_000_000_000), "whole seconds"),
            ("1755000000123", Some(1_755_000_000_123_000), "milliseconds, as some write"),
            ("1.755E9", Some(1_755_000_000_000_000), "any number"),
            ("1000000000", Some(1_000_000_000_000_000), "the earliest"),
            ("999999999.9", None, "before that"),
            ("0", None, "1970: nobody said when"),
            ("0.0", None, "the same as a fraction"),
            ("-0", None, "the same with a sign"),
            ("1", None, "a second later"),
            ("1755000", None, "thousands of seconds"),
            ("1000000000000", Some(1_000_000_000_000_000), "the earliest in milliseconds"),
            ("999999999999", None, "before that in milliseconds"),
            ("1755000000123456", None, "microseconds"),
            ("1755000000123456789", None, "nanoseconds"),
            ("-1", None, "before 1970"),
            ("-1755000000", None, "a sign too many"),
            ("NaN", None, "not a number"),
            ("inf", None, "never"),
            ("1e300", None, "too late"),
            ("soon", None, "a word"),
            ("", None, "nothing"),
        ];
        for (text, micros, reason) in rows {
            assert_eq!(Enqueued::parse(text).map(Enqueued::as_micros), micros, "{reason}");
        }
    }

    proptest! {
        #[test]
        fn reading_what_was_written_is_identity(micros in 1_000_000_000_000_000..4_000_000_000_000_000_u64) {
            let at = Enqueued::from_micros(micros).unwrap();
            prop_assert_eq!(Enqueued::parse(&at.to_string()), Some(at));
            prop_assert_eq!(Enqueued::from_seconds(at.as_seconds()), Some(at));
        }
    }
}
