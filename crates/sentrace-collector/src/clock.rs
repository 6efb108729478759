//! Points in time and durations, read and written as text.

use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// The last second of the year 9999: the latest that Sentry can store and RFC 3339 can write.
pub(crate) const LATEST: f64 = 253_402_300_799.0;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Returns the current time in seconds since the Unix epoch.
pub(crate) fn now() -> f64 {
    Timestamp::now().as_duration().as_secs_f64()
}

/// Parses an RFC 3339 timestamp into seconds since the Unix epoch. Without an offset it is taken as
/// UTC, as Sentry does.
pub(crate) fn parse_rfc3339(text: &str) -> Option<f64> {
    // The parser also accepts other forms of ISO 8601: no separators, no seconds, a time zone by
    // name.
    if text.as_bytes().get(16) != Some(&b':') || text.contains('[') {
        return None;
    }
    let pieces = DateTimeParser::new().parse_pieces(text).ok()?;
    let since_epoch = pieces.date().to_datetime(pieces.time()?).duration_since(EPOCH);
    let offset = pieces.to_numeric_offset().map_or(0, Offset::seconds);
    Some(since_epoch.as_secs_f64() - f64::from(offset))
}

/// Formats seconds since the Unix epoch as `2026-08-20 10:00:00.123 UTC`.
pub(crate) fn format_utc(seconds: f64) -> String {
    let millis = (seconds.clamp(0.0, LATEST) * 1000.0).round() as i64;
    let at = EPOCH.saturating_add(SignedDuration::from_millis(millis));
    at.strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()
}

/// Formats a duration for people: `412 µs`, `12.3 ms`, `1.24 s`, `2 min 5 s`, `3 h 4 min`.
pub(crate) fn duration(ms: f64) -> String {
    let ms = ms.max(0.0);
    match ms {
        ms if ms < 0.9995 => format!("{:.0} µs", ms * 1000.0),
        ms if ms < 99.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 59_995.0 => format!("{:.2} s", ms / 1000.0),
        ms if ms < 3_600_000.0 => {
            let seconds = (ms / 1000.0).round() as u64;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
        ms if ms < 360_000_000.0 => {
            let minutes = (ms / 60_000.0).round() as u64;
            format!("{} h {} min", minutes / 60, minutes % 60)
        }
        ms => format!("{:.0} d", ms / 86_400_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_in_every_form_that_rfc_3339_allows() {
        let table = [
            ("1970-01-01T00:00:00Z", Some(0.0), "the epoch"),
            ("2026-08-20T10:00:00.123Z", Some(1_787_220_000.123), "milliseconds"),
            ("2026-08-20 10:00:00.5", Some(1_787_220_000.5), "a blank and no offset, read as UTC"),
            ("2026-08-20T12:00:00+02:00", Some(1_787_220_000.0), "an offset is taken off"),
            ("2024-02-29T00:00:00z", Some(1_709_164_800.0), "a leap day"),
            ("2026-13-01T00:00:00Z", None, "a month that is not one"),
            ("2026-08-20T25:00:00Z", None, "an hour that is not one"),
            ("2026-08-20T10:00:00.Z", None, "a point without digits"),
            ("2026-08-20", None, "a date alone"),
            ("éééééééééé", None, "no character boundary where one is expected"),
            ("", None, "nothing"),
        ];
        for (text, expected, reason) in table {
            assert_eq!(parse_rfc3339(text), expected, "{text}: {reason}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for seconds in [0.0, 951_782_400.0, 1_787_220_000.123, 4_102_444_799.999, LATEST] {
            let text = format_utc(seconds);
            let again = parse_rfc3339(text.trim_end_matches(" UTC")).expect(&text);
            assert!((again - seconds).abs() < 0.001, "{text}");
        }
    }

    #[test]
    fn durations_keep_three_figures() {
        let table = [
            (0.0, "0 µs"),
            (0.4123, "412 µs"),
            (0.99999, "1.0 ms"),
            (12.34, "12.3 ms"),
            (412.4, "412 ms"),
            (1_240.0, "1.24 s"),
            (125_000.0, "2 min 5 s"),
            (11_040_000.0, "3 h 4 min"),
            (1e15, "11574074 d"),
            (-4.0, "0 µs"),
        ];
        for (ms, text) in table {
            assert_eq!(duration(ms), text);
        }
    }
}
