//! How long a request was queued before it arrived, by the header `X-Request-Start`.

use std::time::Duration;

use sentrace_protocol::Timestamp;

/// Longest text that is parsed. No time has more digits.
const MAX_LENGTH: usize = 32;
/// Longer waits are due to wrong clocks or forged headers.
const MAX_WAIT: Duration = Duration::from_secs(60 * 60);

/// Returns the milliseconds from the header's time to `start`, for
/// `http.server.request.time_in_queue`.
///
/// Returns `None` if the header is not a time, for a time after `start` (the clocks of the two
/// machines differ), and for more than an hour.
///
/// The header has a Unix time, optionally after `t=`: in seconds (nginx), milliseconds (Heroku),
/// microseconds (Apache) or nanoseconds, with or without a fraction. If several proxies wrote one,
/// the first counts.
pub(super) fn time_in_queue(header: &str, start: Timestamp) -> Option<f64> {
    let first = header.split(',').next()?.trim();
    let written = first.strip_prefix("t=").unwrap_or(first).trim();
    let is_number = !written.is_empty()
        && written.len() <= MAX_LENGTH
        && written.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let since_epoch = seconds(written.parse().ok().filter(|_| is_number)?)?;
    let waited = start.0.as_secs_f64() - since_epoch;
    // Both are seconds since 1970 as floats, exact to half a microsecond.
    (0.0..=MAX_WAIT.as_secs_f64()).contains(&waited).then(|| (waited * 1e6).round() / 1e3)
}

/// The magnitude shows the unit: read as seconds, each larger one would be thousands of years away.
fn seconds(number: f64) -> Option<f64> {
    match number {
        1e9..1e11 => Some(number),
        1e12..1e14 => Some(number / 1e3),
        1e15..1e17 => Some(number / 1e6),
        1e18..1e20 => Some(number / 1e9),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_in_every_unit_and_nonsense_is_left_out() {
        let start = Timestamp(Duration::from_millis(1_787_220_000_500));
        let rows = [
            ("t=1787220000.250", Some(250.0), "nginx: seconds with a fraction"),
            ("1787220000.250", Some(250.0), "without t="),
            ("1787220000", Some(500.0), "whole seconds"),
            ("1787220000250", Some(250.0), "Heroku: milliseconds"),
            ("t=1787220000250000", Some(250.0), "Apache: microseconds"),
            ("t=1787220000250000000", Some(250.0), "nanoseconds"),
            (" t= 1787220000250 ", Some(250.0), "spaces"),
            ("t=1787220000.250, t=1787220000.4", Some(250.0), "two proxies: the first saw it first"),
            ("1787220000500", Some(0.0), "no wait at all"),
            ("1787220000501", None, "later than the start"),
            ("1787216400499", None, "more than an hour"),
            ("1787216400500", Some(3_600_000.0), "an hour"),
            ("", None, "nothing"),
            ("t=", None, "nothing behind t="),
            ("now", None, "a word"),
            ("-1787220000", None, "a sign"),
            ("1e300", None, "an exponent"),
            ("inf", None, "no number"),
            ("NaN", None, "no number"),
            ("1.2.3", None, "two points"),
            (".", None, "a point alone"),
            ("0", None, "1970"),
            ("200000000000", None, "between the units"),
            ("99999999999999999999999999999999", None, "beyond all units"),
            ("999999999999999999999999999999999999999999", None, "too long to be read"),
            ("t=t=1787220000", None, "t= twice"),
            ("١٧٨٧", None, "other digits"),
        ];
        for (header, waited, reason) in rows {
            assert_eq!(time_in_queue(header, start), waited, "{header:?}: {reason}");
        }
    }
}
