//! What is current while spans are entered, here and elsewhere.

use sentrace_core::{current_span, get_traceparent};
use tracing::{Dispatch, Span, debug_span, dispatcher, info_span};
use tracing_subscriber::prelude::*;

use crate::support::{record, recording, sampled, subscribe};

fn current() -> Option<String> {
    current_span().sentry_trace().map(|value| value.to_string())
}

/// Runs on a thread with the same subscriber, where nothing is current.
fn elsewhere<R: Send>(run: impl FnOnce() -> R + Send) -> R {
    let dispatch = dispatcher::get_default(Dispatch::clone);
    std::thread::scope(|scope| scope.spawn(|| dispatcher::with_default(&dispatch, run)).join().unwrap())
}

#[test]
fn an_entered_span_is_current_and_what_was_current_comes_back() {
    let captured = record(|| {
        let before = current();
        let first = info_span!("first").entered();
        let in_first = current();
        let second = info_span!("second").entered();
        current_span().set_data("found", true);
        assert_ne!(current(), in_first);
        assert_eq!(get_traceparent(), current(), "outgoing calls are below it");
        drop(first);
        assert_eq!(
            current().as_deref().map(|c| c == in_first.as_deref().unwrap()),
            Some(false),
            "out of order"
        );
        drop(second);
        assert_eq!(current(), before);
    });
    assert_eq!(captured.expect_span("second").data.get("found"), Some(&true.into()));
}

#[test]
fn a_span_takes_its_transaction_to_other_threads() {
    let captured = record(|| {
        let span = info_span!("roams");
        let _also_here = span.enter();
        elsewhere(|| {
            assert_eq!(current(), None);
            span.in_scope(|| sentrace_core::start_span("task", "elsewhere").finish());
            assert_eq!(current(), None);
        });
        sentrace_core::start_span("task", "here").finish();
    });
    let roams = captured.expect_span("roams").span_id;
    assert_eq!(captured.expect_span("elsewhere").parent_span_id, Some(roams));
    assert_eq!(captured.expect_span("here").parent_span_id, Some(roams));
}

#[test]
fn a_span_that_is_left_out_takes_the_transaction_along_too() {
    let captured = record(|| {
        let outer = debug_span!("left out");
        let inner = outer.in_scope(|| debug_span!("left out as well"));
        elsewhere(|| inner.in_scope(|| drop(info_span!("found"))));
    });
    assert_eq!(captured.expect_span("found").parent_span_id, Some(captured.transaction.trace.span_id));
    assert_eq!(captured.transaction.spans.len(), 1);
}

#[test]
fn a_span_that_is_left_out_takes_nothing_from_what_is_current() {
    let captured = record(|| {
        let left_out = debug_span!("left out");
        sentrace_core::start_span("task", "by hand")
            .enter(|| left_out.in_scope(|| drop(info_span!("found"))));
    });
    assert_eq!(
        captured.expect_span("found").parent_span_id,
        Some(captured.expect_span("by hand").span_id),
        "the nearest that is current"
    );
}

#[test]
fn a_bound_span_takes_along_any_trace() {
    let _default = subscribe(sentrace_tracing::layer());
    let (client, _capture) = sampled(0.0);
    let transaction = client.start_transaction("work", "task");
    let trace = client.start_new_trace();
    let rows = [
        (transaction.enter(|| (sentrace_tracing::bound_span(), current())), "not sampled"),
        (trace.enter(|| (sentrace_tracing::bound_span(), current())), "without a transaction"),
    ];
    for ((span, expected), reason) in rows {
        assert!(expected.is_some(), "{reason}");
        assert_eq!(elsewhere(|| span.in_scope(current)), expected, "{reason}");
        let below = span.in_scope(|| info_span!("not recorded"));
        assert_eq!(elsewhere(|| below.in_scope(current)), expected, "{reason}, below it");
    }
}

#[test]
fn where_nothing_is_current_a_bound_span_is_none() {
    let _default = subscribe(sentrace_tracing::layer());
    assert!(sentrace_tracing::bound_span().is_none());
}

#[test]
fn a_bound_span_is_not_recorded() {
    let captured = record(|| sentrace_tracing::bound_span().in_scope(|| drop(info_span!("inside"))));
    assert_eq!(captured.transaction.spans.len(), 1);
    assert_eq!(captured.expect_span("inside").parent_span_id, Some(captured.transaction.trace.span_id));
}

#[test]
fn spans_may_end_after_their_subscriber() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let span: Span = {
        let subscriber = tracing_subscriber::registry().with(sentrace_tracing::layer());
        let _default = tracing::subscriber::set_default(subscriber);
        transaction.enter(|| info_span!("late"))
    };
    span.in_scope(|| assert_ne!(current_span().span_id(), transaction.span_id()));
    drop(span);
    transaction.finish();
    capture.expect_transaction("work").expect_span("late");
}
