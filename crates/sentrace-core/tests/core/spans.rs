//! Spans and what is set on them.

use std::borrow::Cow;
use std::sync::mpsc;
use std::time::Duration;

use sentrace_core::{Transaction, current_span, start_span};
use sentrace_protocol::losses::{Category, Reason};
use sentrace_protocol::{SpanStatus, TransactionSource, Value};

use crate::support::{lost, only, recording};

#[test]
fn spans_beyond_1000_are_counted_as_lost() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    for n in 0..1005 {
        let span = transaction.start_span("task", format!("step {n}"));
        if n >= 1000 {
            assert_eq!(span.span_id(), transaction.span_id(), "what it calls finds a parent that exists");
            span.start_span("task", "below").set_data("nothing", "happens");
        }
    }
    transaction.finish();
    let captured = only(&capture);
    assert_eq!(captured.transaction.spans.len(), 1000);
    assert_eq!(captured.transaction.spans[999].description.as_deref(), Some("step 999"));
    assert_eq!(lost(&client, Reason::BufferOverflow, Category::Span), 10, "five, and one below each");
    assert_eq!(lost(&client, Reason::BufferOverflow, Category::Transaction), 0);
}

#[test]
fn spans_that_have_not_ended_are_left_out_and_counted() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    transaction.start_span("task", "ended").finish();
    let open = transaction.start_span("task", "open");
    open.set_data("lost", true);
    open.set_tag("lost", "too");
    open.start_span("task", "below the open one").finish();
    transaction.finish();
    open.set_data("later", true);
    open.finish();
    let captured = only(&capture);
    let told: Vec<_> = captured.transaction.spans.iter().map(|span| span.description.as_deref()).collect();
    assert_eq!(told, [Some("ended"), Some("below the open one")]);
    assert!(captured.transaction.spans.iter().all(|span| span.data.is_empty() && span.tags.is_empty()));
    assert_eq!(lost(&client, Reason::InsufficientData, Category::Span), 1);
}

#[test]
fn spans_that_start_after_the_end_are_counted_and_change_nothing() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let handle = transaction.start_span("task", "handle");
    let root = transaction.start_span("task", "x").client().map(|_| transaction.enter(current_span)).unwrap();
    drop(handle);
    transaction.finish();
    assert!(!root.is_recording());
    root.set_data("late", true);
    root.set_status(SpanStatus::Aborted);
    let late = root.start_span("task", "late");
    late.start_span("task", "later").finish();
    assert_eq!(late.trace_id(), root.trace_id(), "the trace goes on");
    drop(late);
    let captured = only(&capture);
    assert_eq!(captured.transaction.spans.len(), 2);
    assert_eq!(captured.transaction.trace.data.get("late"), None);
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Ok));
    assert_eq!(lost(&client, Reason::InsufficientData, Category::Span), 2);
}

#[test]
fn what_is_set_arrives_and_the_last_value_stays() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let span = transaction.start_span("db.query", "SELECT 1");
    let before = span.span_id();
    for (key, value) in
        [("rows", Value::from(1)), ("cached", false.into()), ("rows", 2.into()), ("share", 0.5.into())]
    {
        span.set_data(key, value);
    }
    span.set_data("hosts", vec!["a", "b"]);
    span.set_data(String::from("owned"), "text");
    span.set_tag("plan", "silver");
    span.set_tag("plan", String::from("gold"));
    span.set_op("db");
    span.set_description("SELECT 2");
    span.set_origin("auto.db.test");
    span.set_status(SpanStatus::Aborted);
    span.set_status(SpanStatus::NotFound);
    let below = span.start_span("task", "");
    let below_id = below.span_id();
    drop(below);
    span.finish();
    transaction.set_name("renamed", TransactionSource::Task);
    transaction.set_tag("plan", "none");
    transaction.set_data("rows", 3);
    transaction.set_status(SpanStatus::DataLoss);
    transaction.finish();

    let transaction = only(&capture).transaction;
    assert_eq!((&*transaction.name, transaction.source), ("renamed", TransactionSource::Task));
    assert_eq!(transaction.trace.status, Some(SpanStatus::DataLoss));
    assert_eq!(transaction.trace.op, "task");
    assert_eq!(transaction.trace.origin, "manual");
    assert_eq!(transaction.trace.data.get("rows"), Some(&Value::Int(3)));
    assert_eq!(transaction.tags.get("plan").map(|plan| &**plan), Some("none"));
    let [span, below] = &transaction.spans[..] else { panic!("two spans: {:?}", transaction.spans) };
    assert_eq!((Some(span.span_id), span.parent_span_id), (before, Some(transaction.trace.span_id)));
    assert_eq!(
        (&*span.op, span.description.as_deref(), &*span.origin),
        ("db", Some("SELECT 2"), "auto.db.test")
    );
    assert_eq!(span.status, Some(SpanStatus::NotFound));
    let data = serde_json::to_value(&span.data).unwrap();
    let expected = serde_json::json!({"sentry.kind": "client", "rows": 2, "cached": false, "share": 0.5, "hosts": ["a", "b"], "owned": "text"});
    assert_eq!(data, expected);
    assert_eq!(serde_json::to_value(&span.tags).unwrap(), serde_json::json!({"plan": "gold"}));
    assert_eq!((Some(below.span_id), below.parent_span_id), (below_id, before));
    assert_eq!(
        (below.description.as_deref(), below.status),
        (None, Some(SpanStatus::Ok)),
        "empty is as good as none"
    );
}

#[test]
fn the_last_value_stays_also_of_very_many() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let span = transaction.start_span("task", "import");
    for n in 0..100_000_i64 {
        span.set_data("rows.done", n);
        transaction.set_data("file", format!("part-{n}"));
        transaction.set_tag("phase", format!("{n}"));
    }
    span.finish();
    transaction.finish();
    let transaction = only(&capture).transaction;
    assert_eq!(transaction.spans[0].data.get("rows.done"), Some(&Value::Int(99_999)));
    assert_eq!(transaction.trace.data.get("file"), Some(&Value::from("part-99999")));
    assert_eq!(transaction.tags.get("phase").map(|phase| &**phase), Some("99999"));
}

#[test]
fn huge_values_are_cut() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("n".repeat(100_000), "task");
    let huge = "ä".repeat(1_000_000);
    let span = transaction.start_span(huge.clone(), &huge);
    span.set_data("text", &huge);
    span.set_data("texts", vec![huge.clone(), huge.clone()]);
    span.set_data("many", vec!["x"; 1_000_000]);
    span.set_data(huge.clone(), 1);
    span.set_tag(huge.clone(), &huge);
    span.finish();
    transaction.set_name("still named", TransactionSource::Custom);
    transaction.finish();
    let transaction = only(&capture).transaction;
    let json = serde_json::to_string(&transaction).unwrap();
    assert!(json.len() < 128 * 1024, "{} bytes", json.len());
    assert_eq!(transaction.name, "still named");
    assert!(transaction.spans[0].description.as_deref().is_some_and(|text| text.starts_with("ää")));
}

#[test]
fn a_transaction_stays_below_what_sentry_takes_and_keeps_its_name_and_end() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let statement = "SELECT ".repeat(1200);
    for n in 0..1000 {
        let span = transaction.start_span("db.query", &statement);
        span.set_data("n", n);
        span.set_data("statement", &statement);
    }
    transaction.set_name("renamed late", TransactionSource::Route);
    transaction.set_data("done", true);
    transaction.finish();
    let transaction = only(&capture).transaction;
    assert_eq!(transaction.spans.len(), 1000);
    assert_eq!(transaction.name, "renamed late");
    assert_eq!(transaction.trace.data.get("done"), Some(&Value::Bool(true)));
}

#[test]
fn spans_start_and_end_within_their_transaction_in_order() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let pause = Duration::from_millis(10);
    let first = transaction.start_span("task", "first");
    std::thread::sleep(pause);
    first.finish();
    transaction.start_span("task", "second").finish();
    transaction.finish();
    let transaction = only(&capture).transaction;
    let [first, second] = &transaction.spans[..] else { panic!("two spans") };
    assert!(transaction.start_timestamp <= first.start_timestamp);
    assert!(first.timestamp.0 - first.start_timestamp.0 >= pause);
    assert!(first.timestamp <= second.start_timestamp && second.timestamp <= transaction.timestamp);
}

#[test]
fn threads_may_share_a_transaction() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let transaction: &Transaction = &transaction;
            scope.spawn(move || {
                for n in 0..100 {
                    let span = transaction.start_span("task", format!("{thread}"));
                    span.set_data("n", n);
                    span.enter(|| start_span("task", "below").finish());
                }
            });
        }
    });
    transaction.finish();
    let spans = only(&capture).transaction.spans;
    assert_eq!(spans.len(), 1000, "1,600 were started");
    for thread in 0..8 {
        let thread = thread.to_string();
        let own = spans.iter().filter(|span| span.description.as_deref() == Some(&thread));
        let numbers: Vec<_> = own.map(|span| span.data.get("n").cloned()).collect();
        let in_order: Vec<_> = (0..numbers.len() as i64).map(|n| Some(Value::Int(n))).collect();
        assert_eq!(numbers, in_order, "nothing is mixed up in thread {thread}");
    }
}

/// Converts itself by calling the API that it is passed to.
struct Curious(Transaction);

impl Curious {
    fn look(&self) {
        self.0.set_data("looked", true);
        self.0.start_span("task", "inside a conversion").finish();
        let _ = self.0.trace_headers();
    }
}

impl AsRef<str> for Curious {
    fn as_ref(&self) -> &str {
        self.look();
        "curious"
    }
}

impl From<&Curious> for Cow<'static, str> {
    fn from(curious: &Curious) -> Self {
        curious.look();
        "curious".into()
    }
}

impl From<&Curious> for Value<'static> {
    fn from(curious: &Curious) -> Self {
        curious.look();
        Value::from(1)
    }
}

#[test]
fn conversions_of_users_may_call_the_api_again() {
    let (done, waited) = mpsc::channel();
    std::thread::spawn(move || {
        let (client, capture) = recording();
        let curious = Curious(client.start_transaction("work", "task"));
        let span = curious.0.start_span(&curious, &curious);
        span.set_data(&curious, &curious);
        span.set_tag(&curious, &curious);
        span.set_op(&curious);
        span.set_description(&curious);
        span.finish();
        curious.0.set_name(&curious, TransactionSource::Custom);
        drop(curious);
        done.send(only(&capture).transaction.name).unwrap();
    });
    let name = waited.recv_timeout(Duration::from_secs(10)).expect("no deadlock");
    assert_eq!(name, "curious");
}
