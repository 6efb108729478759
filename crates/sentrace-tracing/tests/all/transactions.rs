//! Spans that become transactions.

use sentrace_core::testing::CapturedTransaction;
use sentrace_core::{Client, TransactionOptions};
use sentrace_protocol::TransactionSource;
use sentrace_tracing::TracingLayer;
use tracing::{Span, info_span};

use crate::support::{record, record_with, recording, sampled, subscribe};

const HEADER: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";

fn layer(client: &Client) -> TracingLayer {
    sentrace_tracing::layer().client(client.clone())
}

/// The transactions that `run` leaves, where none is current.
fn transactions(
    layer: impl Fn(TracingLayer) -> TracingLayer,
    run: impl FnOnce(),
) -> Vec<CapturedTransaction> {
    let (client, capture) = recording();
    let _default = subscribe(layer(self::layer(&client)));
    run();
    capture.take()
}

#[test]
fn a_filter_makes_spans_transactions() {
    let captured = transactions(
        |layer| layer.transactions(|metadata| metadata.name() == "report"),
        || {
            info_span!("report", pages = 3).in_scope(|| info_span!("page").in_scope(|| {}));
            info_span!("not a report").in_scope(|| {});
        },
    );
    let [report] = captured.as_slice() else { panic!("{captured:?}") };
    let transaction = &report.transaction;
    assert_eq!((&*transaction.name, transaction.source), ("report", TransactionSource::Custom));
    assert_eq!((&*transaction.trace.op, &*transaction.trace.origin), ("default", "auto.tracing"));
    assert_eq!(transaction.trace.data.get("pages"), Some(&3.into()));
    assert_eq!(report.expect_span("page").parent_span_id, Some(transaction.trace.span_id));
}

#[test]
fn a_field_makes_spans_transactions() {
    type Row = (fn() -> Span, Option<(&'static str, &'static str)>, &'static str);
    let rows: [Row; 5] = [
        (|| info_span!("a", sentry.transaction = true), Some(("a", "default")), "true"),
        (|| info_span!("a", sentry.transaction = false), None, "false"),
        (|| info_span!("a", sentry.transaction = "nightly"), Some(("nightly", "default")), "a name"),
        (
            || info_span!("a", sentry.transaction = true, sentry.name = "b", sentry.op = "queue.process"),
            Some(("b", "queue.process")),
            "name and kind by their own fields",
        ),
        (|| info_span!("a", sentry.trace = ""), None, "no header came"),
    ];
    for (open, expected, reason) in rows {
        let captured = transactions(|layer| layer, || drop(open()));
        let found =
            captured.first().map(|captured| (&*captured.transaction.name, &*captured.transaction.trace.op));
        assert_eq!(found, expected, "{reason}");
    }
}

#[test]
fn a_transaction_may_be_renamed_later() {
    let captured = transactions(
        |layer| layer,
        || {
            let span = info_span!("first", sentry.transaction = true, sentry.name = tracing::field::Empty);
            span.record("sentry.name", "second");
        },
    );
    assert_eq!(captured[0].transaction.name, "second");
}

#[test]
fn a_span_continues_the_trace_of_its_field() {
    let captured = transactions(
        |layer| layer,
        || {
            let baggage = "sentry-trace_id=0af7651916cd43dd8448eb211c80319c,sentry-release=head";
            info_span!("job", sentry.trace = HEADER, sentry.baggage = baggage).in_scope(|| {
                assert_eq!(sentrace_tracing::trace_id().unwrap().to_string(), HEADER[..32]);
            });
        },
    );
    let trace = &captured[0].transaction.trace;
    assert_eq!(format!("{}-{}-1", trace.trace_id, trace.parent_span_id.unwrap()), HEADER);
    let context = captured[0].dynamic_sampling_context.as_ref().unwrap();
    assert_eq!(context.get("release"), Some("head"), "the context of the head goes on");
    assert_eq!(trace.data.get("sentry.trace"), None);
}

#[test]
fn within_a_transaction_spans_are_spans() {
    let layer = sentrace_tracing::layer().transactions(|_| true);
    let captured = record_with(layer, || drop(info_span!("inner", sentry.transaction = true)));
    captured.expect_span("inner");
    record(|| drop(info_span!("inner", sentry.trace = HEADER))).expect_span("inner");
}

#[test]
fn a_transaction_goes_on_with_a_trace_that_is_current() {
    let (client, capture) = recording();
    let _default = subscribe(sentrace_tracing::layer().transactions(|_| true));
    let trace = client.continue_trace(&[("sentry-trace", HEADER)]);
    trace.enter(|| drop(info_span!("job")));
    let captured = capture.expect_transaction("job");
    assert_eq!(captured.transaction.trace.parent_span_id.unwrap().to_string(), HEADER[33..49]);
}

#[test]
fn a_root_begins_a_trace_of_its_own() {
    let (client, capture) = recording();
    let _default = subscribe(layer(&client).transactions(|metadata| metadata.name() == "root"));
    let transaction = client.start_transaction_with(&TransactionOptions::new("request", "http.server"));
    transaction.enter(|| info_span!(parent: None, "root").in_scope(|| drop(info_span!("below"))));
    transaction.finish();
    let request = capture.expect_transaction("request");
    let root = capture.expect_transaction("root");
    assert_ne!(root.transaction.trace.trace_id, request.transaction.trace.trace_id);
    assert_eq!(root.transaction.trace.parent_span_id, None);
    root.expect_span("below");
    assert_eq!(request.transaction.spans.len(), 0);
}

#[test]
fn a_transaction_that_is_not_sampled_says_so_to_whom_it_calls() {
    let (client, capture) = sampled(0.0);
    let _default = subscribe(layer(&client).transactions(|_| true));
    info_span!("job").in_scope(|| {
        assert_eq!(sentrace_core::current_span().sampled(), Some(false));
        drop(info_span!("inside"));
    });
    assert_eq!(capture.take().len(), 0);
    assert_eq!(client.losses().take().len(), 2, "the transaction and its spans");
}

#[test]
fn without_a_client_nothing_happens() {
    let _default = subscribe(sentrace_tracing::layer().transactions(|_| true));
    info_span!("job").in_scope(|| assert!(sentrace_core::current_span().is_none()));
}
