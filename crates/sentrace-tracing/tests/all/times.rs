//! When spans begin and end.

use std::time::{Duration, Instant};

use sentrace_core::testing::Capture;
use sentrace_core::{Options, TraceLifecycle};
use sentrace_protocol::Value;
use tokio::task::yield_now;
use tokio::time::sleep;
use tracing::instrument::WithSubscriber;
use tracing::{Instrument, debug_span, info_span};
use tracing_subscriber::prelude::*;

use crate::support::{record, record_with, recording, seconds, subscribe};

const A_WHILE: Duration = Duration::from_millis(30);
/// What times may be off by on the wire, in seconds.
const ROUNDED: f64 = 0.000_01;

fn wait() {
    std::thread::sleep(A_WHILE);
}

#[test]
fn a_span_lasts_from_its_creation_until_it_is_closed() {
    let captured = record(|| {
        let span = info_span!("twice");
        wait();
        span.in_scope(|| {});
        span.in_scope(wait);
        wait();
    });
    assert_eq!(captured.transaction.spans.len(), 1, "entered twice, recorded once");
    assert!(seconds(captured.expect_span("twice")) >= 0.09, "the time before and after counts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_future_on_several_threads_is_one_span() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let began = Instant::now();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(sentrace_tracing::layer()));
    let span = tracing::dispatcher::with_default(&dispatch, || transaction.enter(|| info_span!("roams")));
    let inner = async {
        for _ in 0..20 {
            sleep(Duration::from_millis(1)).await;
            let id = sentrace_core::current_span().span_id();
            yield_now().await;
            assert_eq!(sentrace_core::current_span().span_id(), id, "current on every poll");
            sentrace_core::start_span("task", "inside").finish();
        }
    };
    tokio::spawn(inner.instrument(span).with_subscriber(dispatch)).await.unwrap();
    assert!(sentrace_core::current_span().is_none());
    let took = began.elapsed().as_secs_f64();
    transaction.finish();
    let captured = capture.expect_transaction("work");
    let span = captured.expect_span("roams");
    assert!((0.02..took + ROUNDED).contains(&seconds(span)), "{} s of {took}", seconds(span));
    let inside =
        captured.transaction.spans.iter().filter(|inside| inside.parent_span_id == Some(span.span_id));
    assert_eq!(inside.count(), 20);
}

#[test]
fn a_span_that_outlives_its_transaction_ends_when_it_was_last_left() {
    let _default = subscribe(sentrace_tracing::layer());
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let began = Instant::now();
    let (span, until_left) = transaction.enter(|| {
        let span = info_span!("held");
        span.in_scope(wait);
        let until_left = began.elapsed().as_secs_f64();
        wait();
        (span, until_left)
    });
    transaction.finish();
    drop(span);
    let captured = capture.expect_transaction("work");
    let took = seconds(captured.expect_span("held"));
    assert!((A_WHILE.as_secs_f64()..until_left + ROUNDED).contains(&took), "{took} s of {until_left}");
    assert_eq!(client.losses().take(), []);
}

#[test]
fn what_a_span_takes_along_is_not_ended_by_leaving_it() {
    let captured = record(|| {
        sentrace_core::start_span("task", "by hand").enter(|| {
            let left_out = debug_span!("left out");
            let dispatch = tracing::dispatcher::get_default(tracing::Dispatch::clone);
            std::thread::scope(|scope| {
                scope.spawn(|| tracing::dispatcher::with_default(&dispatch, || left_out.in_scope(|| {})));
            });
            wait();
        });
        sentrace_tracing::bound_span().in_scope(|| {});
        wait();
    });
    assert!(seconds(captured.expect_span("by hand")) >= 0.03);
    let transaction = &captured.transaction;
    assert!(transaction.timestamp.0 - transaction.start_timestamp.0 >= 2 * A_WHILE);
}

#[test]
fn a_transaction_of_a_span_lasts_until_that_is_closed() {
    let (client, capture) = recording();
    let _default = subscribe(sentrace_tracing::layer().client(client));
    let span = info_span!("job", sentry.transaction = true);
    span.in_scope(|| {});
    wait();
    drop(span);
    let transaction = capture.expect_transaction("job").transaction;
    assert!(transaction.timestamp.0 - transaction.start_timestamp.0 >= A_WHILE);
}

#[test]
fn streamed_spans_last_until_they_are_closed_also_after_their_transaction() {
    let _default = subscribe(sentrace_tracing::layer());
    let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream);
    let (client, capture) = Capture::client(options).unwrap();
    let transaction = client.start_transaction("work", "task");
    let span = transaction.enter(|| {
        let span = info_span!("late", step = 1);
        span.in_scope(|| {});
        span
    });
    transaction.finish();
    wait();
    span.record("step", 2);
    drop(span);
    let spans = capture.take_spans();
    let late = spans.iter().map(|captured| &captured.span).find(|span| span.name == "late").unwrap();
    assert!(late.end_timestamp.0 - late.start_timestamp.0 >= A_WHILE);
    assert_eq!(late.attributes.get("step"), Some(&2.into()));
}

#[test]
fn busy_and_idle_times_are_told_when_asked_for() {
    let layer = sentrace_tracing::layer().busy_times(true);
    let began = Instant::now();
    let captured = record_with(layer, || {
        let span = info_span!("timed");
        wait();
        // Entered twice at a time is busy once.
        span.in_scope(|| span.in_scope(wait));
    });
    let whole = i64::try_from(began.elapsed().as_nanos()).unwrap();
    let data = &captured.expect_span("timed").data;
    let [busy, idle] = ["busy_ns", "idle_ns"].map(|key| match data.get(key) {
        Some(Value::Int(nanoseconds)) => *nanoseconds,
        other => panic!("{key}: {other:?}"),
    });
    let a_while = i64::try_from(A_WHILE.as_nanos()).unwrap();
    assert!(busy >= a_while && idle >= a_while && busy + idle <= whole, "{busy} + {idle} of {whole}");
}
