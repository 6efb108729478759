//! Command-line options that make the collector misbehave.

use std::time::Duration;

use http::{HeaderValue, StatusCode};
use sentrace_collector::Behaviour;

/// The names of the options. All of them take a value.
pub(super) const NAMES: [&str; 5] = ["delay", "status", "limits", "fault", "slow-read"];

const READ_EVERY: Duration = Duration::from_millis(20);

/// Applies one of [`NAMES`] with its value.
pub(super) fn set(behaviour: Behaviour, name: &str, value: &str) -> Result<Behaviour, String> {
    let refused = |expected: &str| format!("--{name} {value:?} is {expected}");
    match (name, value) {
        ("delay", millis) => {
            let millis = millis.parse().map_err(|_| refused("no number of milliseconds"))?;
            Ok(behaviour.delay(Duration::from_millis(millis)))
        }
        ("status", code) => {
            let status: StatusCode = code.parse().map_err(|_| refused("no status; write one as 503"))?;
            match status.is_informational() {
                true => Err(refused("no status that ends an answer; write 200 or more")),
                false => Ok(behaviour.status(status)),
            }
        }
        ("limits", limits) => {
            let limits = HeaderValue::from_str(limits).map_err(|_| refused("nothing a header can say"))?;
            Ok(behaviour.rate_limits(limits))
        }
        ("fault", "hang-up") => Ok(behaviour.hang_up()),
        ("fault", "reset") => Ok(behaviour.reset()),
        ("fault", "hang") => Ok(behaviour.hang()),
        ("fault", "garbage") => Ok(behaviour.garbage()),
        ("fault", _) => Err(refused("no fault; write hang-up, reset, hang or garbage")),
        (_, bytes) => {
            let bytes = bytes.parse().map_err(|_| refused("no number of bytes"))?;
            Ok(behaviour.slow_read(bytes, READ_EVERY))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_sets_what_it_names() {
        let well = Behaviour::default;
        let rows = [
            ("delay", "50", well().delay(Duration::from_millis(50))),
            ("status", "503", well().status(StatusCode::SERVICE_UNAVAILABLE)),
            ("limits", "60:span:key", well().rate_limits(HeaderValue::from_static("60:span:key"))),
            ("fault", "hang-up", well().hang_up()),
            ("fault", "reset", well().reset()),
            ("fault", "hang", well().hang()),
            ("fault", "garbage", well().garbage()),
            ("slow-read", "64", well().slow_read(64, READ_EVERY)),
        ];
        for (name, value, expected) in rows {
            assert!(NAMES.contains(&name), "{name}");
            assert_eq!(set(well(), name, value), Ok(expected), "--{name} {value}");
        }
    }

    #[test]
    fn values_that_make_no_sense_are_named() {
        let rows = [
            ("delay", "soon", "not a number"),
            ("status", "99", "not a status"),
            ("status", "100", "an answer that another one follows"),
            ("limits", "a\nb", "two lines"),
            ("fault", "fire", "not a fault"),
            ("slow-read", "-1", "less than nothing"),
        ];
        for (name, value, reason) in rows {
            let message = set(Behaviour::default(), name, value).expect_err(reason);
            assert!(
                message.contains(&format!("--{name}")) && message.contains(&format!("{value:?}")),
                "{message}"
            );
        }
    }
}
