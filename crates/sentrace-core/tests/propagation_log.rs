//! What cannot be used is dropped, and a debug log says so once. The log is one for all threads, so it is one test.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::sync::Mutex;

use sentrace_core::diagnostics::{Level, set_handler};
use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options};

static SAID: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());

const SAMPLED: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn said() -> Vec<(Level, String)> {
    std::mem::take(&mut *SAID.lock().unwrap())
}

fn client(options: Options) -> Client {
    Capture::client(options.continue_traceparent(true)).unwrap().0
}

#[test]
fn a_debug_log_says_once_what_cannot_be_used() {
    assert!(set_handler(|level, message| SAID.lock().unwrap().push((level, message.to_owned()))));
    let long = format!("sentry-a={}", "x".repeat(9_000));
    let different = SAMPLED.replacen('0', "1", 1);
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let rows: [(Headers<'_>, &str, &str); 5] = [
        (&[("sentry-trace", "non\nsense")], "non\\nsense", "sentry-trace that cannot be read, escaped"),
        (&[("sentry-trace", SAMPLED), ("sentry-trace", &different)], "came twice", "two that disagree"),
        (
            &[("sentry-trace", SAMPLED), ("baggage", &long)],
            "1 of baggage's sentry- members",
            "an oversized member",
        ),
        (
            &[("traceparent", "01-nonsense")],
            "invalid traceparent `01-nonsense`",
            "traceparent that cannot be read",
        ),
        (
            &[("sentry-trace", SAMPLED), ("baggage", "sentry-org_id=2")],
            "organisation",
            "another organisation's",
        ),
    ];

    let silent = client(Options::new().org_id("1"));
    for (headers, _, _) in rows {
        silent.continue_trace(headers);
    }
    assert_eq!(said(), [], "without debug mode nothing is said, and nothing is used up");

    let client = client(Options::new().org_id("1").debug(true));
    for (headers, expected, reason) in rows {
        client.continue_trace(headers);
        let said = said();
        assert_eq!(said.len(), 1, "{reason}: {said:?}");
        assert_eq!(said[0].0, Level::Debug, "{reason}");
        assert!(said[0].1.contains(expected), "{reason}: {said:?}");
    }
    for (headers, _, _) in &rows[..4] {
        for _ in 0..100 {
            client.continue_trace(*headers);
        }
    }
    assert_eq!(said(), [], "a stranger cannot fill the log");
    client.continue_trace(&[("sentry-trace", SAMPLED), ("baggage", "other=\u{e9},x"), ("traceparent", W3C)]);
    assert_eq!(said(), [], "other tools' members are none of our business");
}
