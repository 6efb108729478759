//! A debug log says once why nothing was recorded, continued or sent on. The log is one for all threads, so it is one test.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sentrace_core::diagnostics::{Level, set_handler};
use sentrace_core::testing::Capture;
use sentrace_core::{CallSpan, Client, Deliver, Finished, Options, Origin, OutgoingCall, TransactionOptions};

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
    why_nothing_is_recorded();
    why_nothing_goes_out();
    a_log_has_an_end();
}

/// What is done, what is said about it, and which case that is.
type Row<'a> = (&'a dyn Fn(), &'a [&'a str], &'a str);

fn why_nothing_is_recorded() {
    let options = || Options::new().debug(true);
    let rate = |rate: f64| client(options().traces_sample_rate(rate));
    let pressed = || {
        let pressed: Arc<dyn Deliver> = Arc::new(Pressed);
        Client::new(options().traces_sample_rate(1.0), pressed, Arc::default()).unwrap()
    };
    let filtered = || TransactionOptions::new("filtered", "task").recorded(false);
    let start = |client: &Client, name: &str| client.start_transaction(name, "task").finish();
    let rows: [Row<'_>; 8] = [
        (
            &|| start(&rate(0.0), "by rate"),
            &["by rate", "traces_sample_rate is 0", "sample_rand 0.", "with 1 all are"],
            "the rate",
        ),
        (
            &|| start(&client(options().traces_sampler(|_| 0.0)), "by sampler"),
            &["by sampler", "traces_sampler answered 0"],
            "the sampler",
        ),
        (
            &|| {
                let trace = rate(1.0).continue_trace(&[("sentry-trace", &*SAMPLED.replace("-1", "-0"))]);
                trace.start_transaction("by parent", "task").finish();
            },
            &["by parent", "its caller decided against it", "raise the caller's rate"],
            "the caller",
        ),
        (
            &|| {
                let explicit = TransactionOptions::new("by hand", "task").sampled(false);
                rate(1.0).start_transaction_with(&explicit).finish();
            },
            &["by hand", "whoever started it"],
            "whoever started it",
        ),
        (&|| start(&pressed(), "in a flood"), &["in a flood", "halved 10 times", "lower"], "back-pressure"),
        (
            &|| start(&client(options().traces_sample_rate(1.0).ignore_spans(["ping"])), "ping"),
            &["ping", "ignore_spans"],
            "a rule",
        ),
        (
            &|| rate(1.0).start_transaction_with(&filtered()).finish(),
            &["filtered", "the layer's filter"],
            "the layer's filter",
        ),
        (&|| start(&client(options()), "any"), &["neither", "SENTRY_TRACES_SAMPLE_RATE"], "tracing is off"),
    ];
    assert_explained_once(&rows);
    start(&rate(1.0), "all is well");
    assert_eq!(said(), [], "what is recorded needs no words");
}

fn why_nothing_goes_out() {
    let options = Options::new().debug(true).dsn("http://key@ingest.test/1");
    let client = client(options.tracing_origins([Origin::host("ours.test")]).traces_sample_rate(1.0));
    let call = |url: &str| OutgoingCall::to(url, Some(&client));
    let rows: [Row<'_>; 6] = [
        (
            &|| drop(call("http://theirs.test/x?ours.test")),
            &["theirs.test", "Origin::host(\"ours.test\")", "add Origin::host(\"theirs.test\")"],
            "a foreign host",
        ),
        (&|| drop(call("/x")), &["its host is unknown"], "no host"),
        (&|| drop(call("http://ingest.test/")), &["ingest.test", "the DSN's host"], "Sentry itself"),
        (&|| drop(call("http://ours.test/").map(OutgoingCall::without_headers)), &["hook"], "a hook"),
        (
            &|| {
                let mut headers = http::HeaderMap::new();
                headers.insert("sentry-trace", SAMPLED.parse().unwrap());
                client.start_transaction("work", "task").enter(|| {
                    call("http://ours.test/").unwrap().inject(&CallSpan::none(), &mut headers);
                });
            },
            &["a sentry-trace that the application set"],
            "headers by hand",
        ),
        (
            &|| {
                client.bind();
                client.unbind();
                client.unbind();
            },
            &["the global client is taken away", "bind the guard"],
            "a guard that was dropped",
        ),
    ];
    assert_explained_once(&rows[..5]);
    rows[5].0();
    let said = said();
    assert!(said.len() == 1 && rows[5].1.iter().all(|part| said[0].1.contains(part)), "{said:?}");
}

fn a_log_has_an_end() {
    let client = client(Options::new().debug(true).traces_sample_rate(0.0));
    for number in 0..1_000 {
        client.start_transaction(format!("/wp-admin/{number}"), "http.server").finish();
    }
    let said = said();
    assert!(said.len() <= 64, "{}", said.len());
    assert!(said.last().unwrap().1.contains("no more is said of this kind"), "{said:?}");
}

fn assert_explained_once(rows: &[Row<'_>]) {
    for (run, parts, reason) in rows {
        for _ in 0..3 {
            run();
        }
        let said = said();
        assert_eq!(said.len(), 1, "{reason}: {said:?}");
        assert_eq!(said[0].0, Level::Debug, "{reason}");
        assert!(parts.iter().all(|part| said[0].1.contains(part)), "{reason}: {said:?}");
    }
}

/// Cannot deliver what comes.
#[derive(Debug)]
struct Pressed;

impl Deliver for Pressed {
    fn deliver(&self, _finished: Finished) {}

    fn rate_halvings(&self) -> u32 {
        10
    }

    fn flush(&self, _timeout: Duration) -> bool {
        true
    }
}
