//! Timestamps: RFC 3339 against a calendar of its own, and JSON exact to the microsecond.

use std::time::{Duration, SystemTime};

use arbitrary::Unstructured;
use sentrace_protocol::Timestamp;

const DAY: u64 = 86_400;
const MONTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Takes the input for moments: any at all, those of four-digit years, and those that floats hold exactly.
pub fn check(data: &[u8]) {
    let _ = check_moments(&mut Unstructured::new(data));
}

fn check_moments(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    while !input.is_empty() {
        let (seconds, nanos): (u64, u32) = (input.arbitrary()?, input.arbitrary()?);
        let nanos = nanos % 1_000_000_000;
        let any = Timestamp(Duration::new(seconds, nanos));
        assert!(any.rfc3339().to_string().ends_with('Z'));
        let json = serde_json::to_string(&any).expect("a moment is a number");
        assert!(json.parse::<f64>().is_ok_and(f64::is_finite), "{json}");

        check_date(Duration::new(seconds % (days_before(10_000) * DAY), nanos));
        check_json(Duration::new(seconds % (1 << 33), nanos));
        if let Some(time) = SystemTime::UNIX_EPOCH.checked_add(any.0) {
            assert_eq!(Timestamp::from(time), any);
        }
        if let Some(time) = SystemTime::UNIX_EPOCH.checked_sub(any.0) {
            assert_eq!(Timestamp::from(time), Timestamp(Duration::ZERO));
        }
    }
    Ok(())
}

fn check_date(since_1970: Duration) {
    let printed = Timestamp(since_1970).rfc3339().to_string();
    assert_eq!(read(&printed), Some(since_1970.as_millis()), "{printed}");
    let json = serde_json::to_value(Timestamp(since_1970).rfc3339()).expect("a date is a string");
    assert_eq!(json, printed);
    let later = Timestamp(since_1970 + Duration::from_millis(1)).rfc3339().to_string();
    assert!(printed < later || later.len() > printed.len(), "dates are in the order of time");
}

fn check_json(since_1970: Duration) {
    let json = serde_json::to_string(&Timestamp(since_1970)).expect("a moment is a number");
    assert_eq!(micros(&json), Some(since_1970.as_micros()), "{json}");
}

/// The microseconds of a number of seconds, without a detour through a float; `None` if it has more digits.
fn micros(json: &str) -> Option<u128> {
    let (digits, exponent) = json.split_once('e').unwrap_or((json, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let zeros = 6 + exponent.parse::<i32>().ok()? - i32::try_from(fraction.len()).ok()?;
    let number: u128 = format!("{whole}{fraction}").parse().ok()?;
    let power = 10_u128.checked_pow(zeros.unsigned_abs())?;
    match zeros {
        0.. => number.checked_mul(power),
        _ => number.is_multiple_of(power).then_some(number / power),
    }
}

/// Milliseconds since 1970 of `YYYY-MM-DDThh:mm:ss.mmmZ`.
fn read(text: &str) -> Option<u128> {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "0000-00-00T00:00:00.000Z" {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second, millis) = (number(11, 13)?, number(14, 16)?, number(17, 19)?, number(20, 23)?);
    let in_range = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    let days = days_before(year) + (1..month).map(|month| days_of(year, month)).sum::<u64>() + day - 1;
    let seconds = days * DAY + hour * 3_600 + minute * 60 + second;
    Some(u128::from(seconds) * 1_000 + u128::from(millis))
}

/// Days from 1970 to the first of January.
fn days_before(year: u64) -> u64 {
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    (year - 1_970) * 365 + leaps(year - 1) - leaps(1_969)
}

fn days_of(year: u64, month: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    MONTHS[month as usize - 1] + u64::from(is_leap && month == 2)
}
