//! Seconds since the Unix epoch, read and written.

use std::time::{SystemTime, UNIX_EPOCH};

/// The last second of the year 9999: what Sentry can store, and what RFC 3339 can write.
pub(crate) const LATEST: f64 = 253_402_300_799.0;

/// Now, in seconds since the Unix epoch.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Reads RFC 3339; without an offset it is taken as UTC, as Sentry does.
pub(crate) fn parse_rfc3339(text: &str) -> Option<f64> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (year, month, day) = three(date, '-')?;
    let split = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(split);
    let (time, fraction) = time.split_once('.').map_or((time, None), |(time, digits)| (time, Some(digits)));
    let (hour, minute, second) = three(time, ':')?;
    let plausible = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60;
    if !plausible || second > 60 {
        return None;
    }
    let fraction = match fraction {
        None => 0.0,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("0.{digits}").parse().ok()?
        }
        Some(_) => return None,
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(seconds as f64 + fraction - offset(zone)? as f64)
}

/// Writes `2026-08-20 10:00:00.123 UTC`.
pub(crate) fn format_utc(seconds: f64) -> String {
    let millis = (seconds.clamp(0.0, LATEST) * 1000.0).round() as i64;
    let (whole, millis) = (millis / 1000, millis % 1000);
    let (year, month, day) = date(whole / 86_400);
    let (hour, minute, second) = (whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03} UTC")
}

/// Writes a duration for people: `412 µs`, `12.3 ms`, `1.24 s`, `2 min 5 s`, `3 h 4 min`.
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

fn three(text: &str, separator: char) -> Option<(i64, i64, i64)> {
    let mut parts = text.split(separator).map(|part| {
        let digits = !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok()).flatten()
    });
    let three = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(three)
}

fn offset(zone: &str) -> Option<i64> {
    match zone.as_bytes() {
        [] | [b'Z' | b'z'] => Some(0),
        [sign, ..] => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
            let seconds = i64::from(hours) * 3_600 + i64::from(minutes) * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
    }
}

/// Days since 1970-01-01. Years are counted from March, so that the leap day is the last one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + of_year - 719_468
}

fn date(days: i64) -> (i64, i64, i64) {
    let mut year = 1970 + days / 366;
    while self::days(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && self::days(year, month + 1, 1) <= days {
        month += 1;
    }
    (year, month, days - self::days(year, month, 1) + 1)
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
