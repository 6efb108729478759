//! Events that mark spans.

use std::error::Error;
use std::io;

use sentrace_protocol::SpanStatus;
use tracing::{debug_span, error, info_span, instrument, warn};

use crate::support::{record, record_with, recording, subscribe};

#[test]
fn an_error_event_marks_the_span_it_happens_in() {
    let captured = record(|| {
        let _outer = info_span!("outer").entered();
        let _inner = info_span!("inner").entered();
        error!(code = 7, "no stock left");
    });
    let inner = captured.expect_span("inner");
    assert_eq!(inner.status, Some(SpanStatus::InternalError));
    assert_eq!(inner.data.get("error.message"), Some(&"no stock left".into()));
    assert_eq!(captured.expect_span("outer").status, Some(SpanStatus::Ok), "it may have dealt with it");
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Ok), "and so may the transaction");
}

#[test]
fn the_error_of_an_event_is_told() {
    let captured = record(|| {
        let cause = io::Error::other("disk is full");
        info_span!("by type").in_scope(|| error!(error = &cause as &(dyn Error + 'static), "not saved"));
        info_span!("by text").in_scope(|| error!(error = %cause));
    });
    let by_type = captured.expect_span("by type");
    assert_eq!(by_type.data.get("error.message"), Some(&"not saved".into()));
    assert_eq!(by_type.data.get("exception.message"), Some(&"disk is full".into()));
    let by_text = captured.expect_span("by text");
    assert_eq!(
        by_text.data.get("error.message"),
        Some(&"disk is full".into()),
        "an error is its own message"
    );
}

#[test]
fn an_instrumented_function_that_fails_is_marked() {
    #[instrument(err)]
    fn save() -> io::Result<()> {
        Err(io::Error::other("disk is full"))
    }
    let captured = record(|| drop(save()));
    let span = captured.expect_span("save");
    assert_eq!(span.status, Some(SpanStatus::InternalError));
    assert_eq!(span.data.get("exception.message"), Some(&"disk is full".into()));
}

#[test]
fn an_error_event_below_a_span_that_is_left_out_marks_the_next_above() {
    let captured = record(|| {
        let outer = info_span!("outer");
        outer.in_scope(|| debug_span!("left out").in_scope(|| error!("failed")));
        error!(parent: &outer, "once more");
    });
    assert_eq!(captured.expect_span("outer").data.get("error.message"), Some(&"once more".into()));
}

#[test]
fn other_events_mark_nothing() {
    let captured = record(|| info_span!("fine").in_scope(|| warn!("nearly full")));
    assert_eq!(captured.expect_span("fine").status, Some(SpanStatus::Ok));
    let layer = sentrace_tracing::layer().errors(false);
    let captured = record_with(layer, || info_span!("quiet").in_scope(|| error!("failed")));
    assert_eq!(captured.expect_span("quiet").status, Some(SpanStatus::Ok), "nobody wants to know");
}

#[test]
fn a_panic_in_a_span_marks_it() {
    let _default = subscribe(sentrace_tracing::layer());
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        transaction.enter(|| info_span!("panics").in_scope(|| panic!("as tested")))
    }));
    assert!(outcome.is_err(), "it goes on");
    assert!(sentrace_core::current_span().is_none(), "and leaves nothing behind");
    transaction.finish();
    let captured = capture.expect_transaction("work");
    assert_eq!(captured.expect_span("panics").status, Some(SpanStatus::InternalError));
}
