//! What is set once for many spans: attributes of clients and traces, users, feature flags.

use std::sync::Arc;

use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options, SpanRef, TraceLifecycle, User};
use sentrace_protocol::{Data, Value};

use crate::support::recording_with;

const BOTH: [TraceLifecycle; 2] = [TraceLifecycle::Stream, TraceLifecycle::Static];

fn client(lifecycle: TraceLifecycle, edit: impl FnOnce(Options) -> Options) -> (Client, Arc<Capture>) {
    recording_with(edit(Options::new().traces_sample_rate(1.0).trace_lifecycle(lifecycle)))
}

/// Names and attributes of what arrived; a transaction comes after its spans.
fn arrived(capture: &Capture) -> Vec<(String, Data<'static>)> {
    let spans = capture.take_spans().into_iter();
    let mut all: Vec<_> = spans.map(|it| (it.span.name.into_owned(), it.span.attributes)).collect();
    for captured in capture.take() {
        let transaction = captured.transaction;
        let spans = transaction.spans.into_iter();
        all.extend(spans.map(|span| (span.description.unwrap_or(span.op).into_owned(), span.data)));
        all.push((transaction.name.into_owned(), transaction.trace.data));
    }
    all
}

fn values<'d>(all: &'d [(String, Data<'static>)], key: &str) -> Vec<(&'d str, Option<&'d Value<'static>>)> {
    all.iter().map(|(name, data)| (&**name, data.get(key))).collect()
}

#[test]
fn what_is_nearer_to_a_span_wins() {
    let text = |text: &'static str| Some(Value::from(text));
    type Set = fn(&Client, &SpanRef);
    let rows: [(Set, Option<Value<'_>>, &str); 6] = [
        (|_, _| (), text("g"), "the client's value alone"),
        (|_, span| span.set_trace_attribute("both", "iso"), text("iso"), "a request's goes before it"),
        (
            |_, span| {
                span.set_trace_attribute("both", "iso");
                span.set_data("both", "cur");
            },
            text("cur"),
            "vector 79: the span's own goes before both",
        ),
        (|client, _| client.set_attribute("both", 7), Some(7.into()), "a client's value may change"),
        (|client, _| client.set_attribute("both", None::<u8>), text("g"), "none sets nothing"),
        (
            |_, span| {
                span.set_trace_attribute("both", 1);
                span.set_trace_attribute("both", 2);
                span.set_trace_attribute("both", 3);
            },
            Some(3.into()),
            "the last value",
        ),
    ];
    for lifecycle in BOTH {
        for (set, expected, reason) in &rows {
            let (client, capture) = client(lifecycle, |options| options.attribute("both", "g"));
            let transaction = client.start_transaction("work", "task");
            let span = transaction.start_span("task", "step");
            set(&client, &span);
            span.finish();
            transaction.finish();
            let all = arrived(&capture);
            let of_span =
                values(&all, "both").iter().find(|(name, _)| *name == "step").and_then(|it| it.1.cloned());
            assert_eq!(of_span, *expected, "{lifecycle:?}: {reason}");
        }
    }
}

#[test]
fn what_is_set_holds_for_spans_that_end_later() {
    for lifecycle in BOTH {
        let (client, capture) = client(lifecycle, |options| options);
        let transaction = client.start_transaction("work", "task");
        transaction.start_span("task", "before").finish();
        let open = transaction.start_span("task", "open");
        transaction.set_trace_attribute("tenant", "acme");
        transaction.set_user(User::default().with_id("1041").with_username("ada"));
        open.finish();
        transaction.start_span("task", "after").finish();
        let below = transaction.enter(|| client.start_transaction("below", "task"));
        below.finish();
        transaction.finish();
        let all = arrived(&capture);
        for (name, tenant) in values(&all, "tenant") {
            let expected = (name != "before").then(|| Value::from("acme"));
            assert_eq!(tenant, expected.as_ref(), "{lifecycle:?}: {name}");
        }
        if lifecycle == TraceLifecycle::Stream {
            for (name, id) in values(&all, "user.id") {
                let expected = (name != "before").then(|| Value::from("1041"));
                assert_eq!(id, expected.as_ref(), "{name}");
            }
        }
    }
}

#[test]
fn a_trace_passes_its_attributes_to_transactions_that_start_from_it() {
    let (client, capture) = client(TraceLifecycle::Static, |options| options);
    let trace = client.start_new_trace();
    trace.set_attribute("tenant", "acme");
    trace.set_user(User::default().with_id("7").with_email("ada@example.com"));
    for name in ["first", "second"] {
        trace.start_transaction(name, "task").finish();
    }
    client.start_transaction("other", "task").finish();
    for captured in capture.take() {
        let transaction = captured.transaction;
        let is_other = transaction.name == "other";
        assert_eq!(transaction.trace.data.get("tenant").is_none(), is_other, "{}", transaction.name);
        let user = transaction.user.map(|user| serde_json::to_string(&user).unwrap());
        let expected = (!is_other).then(|| r#"{"id":"7","email":"ada@example.com"}"#.to_owned());
        assert_eq!(user, expected, "{}", transaction.name);
    }
}

#[test]
fn a_user_is_what_code_sets_and_may_be_removed() {
    for lifecycle in BOTH {
        let (client, capture) = client(lifecycle, |options| options);
        let transaction = client.start_transaction("work", "task");
        transaction.set_user(User::default().with_id("1").with_ip_address([203, 0, 113, 7].into()));
        transaction.set_user(None);
        transaction.finish();
        let users = capture.take().into_iter().map(|sent| sent.transaction.user).collect::<Vec<_>>();
        assert!(users.iter().all(Option::is_none), "{users:?}");
        for captured in capture.take_spans() {
            assert!(!captured.span.attributes.iter().any(|(key, _)| key.starts_with("user.")));
        }
        let transaction = client.start_transaction("work", "task");
        transaction.set_user(User::default().with_ip_address([203, 0, 113, 7].into()));
        transaction.finish();
        for captured in capture.take_spans() {
            assert_eq!(captured.span.attributes.get("user.ip_address"), Some(&"203.0.113.7".into()));
        }
    }
}

#[test]
fn a_span_keeps_ten_flags_and_their_last_values() {
    for lifecycle in BOTH {
        let (client, capture) = client(lifecycle, |options| options);
        let transaction = client.start_transaction("work", "task");
        for number in 0..12 {
            transaction.add_feature_flag(format!("f{number}"), true);
        }
        transaction.add_feature_flag("f3", false);
        let span = transaction.start_span("task", "step");
        span.add_feature_flag("f11", true);
        span.finish();
        transaction.finish();
        for (name, data) in arrived(&capture) {
            let flags: Vec<_> = data.iter().filter(|(key, _)| key.starts_with("flag.evaluation.")).collect();
            if name == "step" {
                assert_eq!(flags, [("flag.evaluation.f11", &true.into())], "each span has its own");
                continue;
            }
            assert_eq!(flags.len(), 10, "{lifecycle:?}: vector 92");
            assert_eq!(data.get("flag.evaluation.f3"), Some(&false.into()), "vector 92");
            assert_eq!(data.get("flag.evaluation.f10"), None, "vector 92");
        }
    }
}

#[test]
fn scopes_are_bounded_and_hide_secrets_and_reach_no_other_trace() {
    let (client, capture) = client(TraceLifecycle::Static, |options| options);
    let transaction = client.start_transaction("work", "task");
    for number in 0..1_000 {
        transaction.set_trace_attribute(format!("key.{number}"), "x".repeat(100_000));
    }
    transaction.finish();
    let sent = capture.expect_transaction("work").transaction;
    assert_eq!(sent.trace.data.len(), 128);
    assert_eq!(sent.trace.data.get("key.0"), Some(&"x".repeat(1024).into()));

    let transaction = client.start_transaction("next", "task");
    transaction.set_trace_attribute("url", "https://ada:hunter2@h/");
    transaction.finish();
    let sent = capture.expect_transaction("next").transaction;
    assert_eq!(sent.trace.data.len(), 1, "memory of a trace is used again, its attributes are not");
    let json = serde_json::to_string(&sent).unwrap();
    assert!(
        json.contains("@h/") && !json.contains("hunter2"),
        "secrets are hidden by their form, as in data"
    );
    client.start_transaction("last", "task").finish();
    assert!(capture.expect_transaction("last").transaction.trace.data.is_empty());
}

#[test]
fn streamed_spans_name_the_thread_that_started_them() {
    let (client, capture) = client(TraceLifecycle::Stream, |options| options);
    let record = move || {
        let transaction = client.start_transaction("work", "task");
        transaction.start_span("task", "step").finish();
        transaction.finish();
    };
    std::thread::Builder::new().name("worker".into()).spawn(record).unwrap().join().unwrap();
    for (name, data) in arrived(&capture) {
        assert_eq!(data.get("thread.name"), Some(&"worker".into()), "{name}");
        assert!(
            matches!(data.get("thread.id"), Some(Value::Int(1..))),
            "{name}: an integer, as the conventions say"
        );
    }
}
