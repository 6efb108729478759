//! Moments in time, as Sentry writes them.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

const DAY: u64 = 86_400;

/// A moment: the time since 1970-01-01 00:00 UTC.
///
/// In JSON a number of seconds with microseconds behind the point, exact to the microsecond until the year
/// 2242 (finer digits are cut off). [`rfc3339`](Self::rfc3339) is the other way that the specification knows.
///
/// Sentry SDK specification, *Event Payloads*, `timestamp`.
///
/// ```
/// use std::time::Duration;
/// use sentrace_protocol::Timestamp;
///
/// let moment = Timestamp(Duration::from_micros(1_787_220_000_104_233));
/// assert_eq!(serde_json::to_string(&moment)?, "1787220000.104233");
/// assert_eq!(moment.rfc3339().to_string(), "2026-08-20T10:00:00.104Z");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub Duration);

impl Timestamp {
    /// RFC 3339 in UTC with milliseconds, as the `sent_at` of an envelope wants it.
    pub const fn rfc3339(self) -> Rfc3339 {
        Rfc3339(self)
    }
}

impl From<SystemTime> for Timestamp {
    /// Clocks before 1970 are taken for 1970.
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Below 2^33 seconds floats are less than a microsecond apart, so each number of six decimals has its
        // own, and JSON writers print the shortest digits that lead back to it: exactly those six.
        serializer.serialize_f64(self.0.as_micros() as f64 / 1e6)
    }
}

/// Writes a [`Timestamp`] as `2026-08-20T10:00:00.123Z`; serialises as that string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc3339(Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.0.as_secs();
        let (year, month, day) = civil_date(seconds / DAY);
        let (hour, minute, second) = (seconds % DAY / 3_600, seconds % 3_600 / 60, seconds % 60);
        let millis = self.0.0.subsec_millis();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Year, month and day of the proleptic Gregorian calendar, `days` after 1970-01-01.
const fn civil_date(days: u64) -> (u64, u64, u64) {
    // Years here begin in March, so that a leap day is the last of its year; 400 of them have 146,097 days.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        let rows = [
            (0, "1970-01-01T00:00:00.000Z", "the epoch"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z", "the day before a leap day"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z", "400 divides 2000: a leap year"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z", "after the leap day"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z", "a usual leap year"),
            (1_787_220_000_123, "2026-08-20T10:00:00.123Z", "the specification's example"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z", "100 divides 2100: no leap year"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z", "its last day of February"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z", "the last date of four digits"),
        ];
        for (millis, text, reason) in rows {
            assert_eq!(Timestamp(Duration::from_millis(millis)).rfc3339().to_string(), text, "{reason}");
        }
    }

    #[test]
    fn a_clock_before_1970_is_1970() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Timestamp::from(before), Timestamp(Duration::ZERO));
    }

    #[test]
    fn the_greatest_duration_does_not_panic() {
        let last = Timestamp(Duration::MAX);
        assert!(!last.rfc3339().to_string().is_empty());
        assert!(serde_json::to_string(&last).is_ok());
    }

    proptest! {
        #[test]
        fn every_microsecond_until_2242_is_exact(micros in 0_u64..8_589_934_592_000_000) {
            let json = serde_json::to_string(&Timestamp(Duration::from_micros(micros))).unwrap();
            prop_assume!(!json.contains('e'));
            let (seconds, fraction) = json.split_once('.').unwrap();
            prop_assert!(fraction.len() <= 6, "{}", json);
            prop_assert_eq!(format!("{seconds}{fraction:0<6}").parse::<u64>().unwrap(), micros);
        }
    }
}
