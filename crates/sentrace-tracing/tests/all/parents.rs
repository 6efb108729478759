//! What spans are below.

use sentrace_protocol::TransactionSpan;
use tracing::{debug_span, info_span, instrument};
use tracing_subscriber::filter::{FilterFn, LevelFilter};
use tracing_subscriber::prelude::*;

use crate::support::{record, record_with, recording, sampled, subscribe};

fn parent<'a>(spans: &'a [TransactionSpan<'static>], of: &str) -> Option<&'a str> {
    let id = spans.iter().find(|span| span.description.as_deref() == Some(of))?.parent_span_id?;
    spans.iter().find(|span| span.span_id == id)?.description.as_deref()
}

#[instrument]
fn outer() {
    inner();
    sentrace_core::start_span("task", "by hand").enter(inner_by_hand);
}

#[instrument]
fn inner() {}

#[instrument]
fn inner_by_hand() {}

#[test]
fn spans_are_below_what_is_current() {
    let captured = record(outer);
    let spans = &captured.transaction.spans;
    assert_eq!(captured.expect_span("outer").parent_span_id, Some(captured.transaction.trace.span_id));
    assert_eq!(parent(spans, "inner"), Some("outer"));
    assert_eq!(parent(spans, "by hand"), Some("outer"), "spans by hand are below those of tracing");
    assert_eq!(parent(spans, "inner_by_hand"), Some("by hand"), "and the other way round");
    assert_eq!(spans.len(), 4);
}

#[test]
fn an_explicit_parent_goes_before_what_is_current() {
    let captured = record(|| {
        let first = info_span!("first");
        let unrecorded = debug_span!(parent: &first, "not recorded");
        let _second = info_span!("second").entered();
        drop(info_span!(parent: &first, "below first"));
        drop(info_span!(parent: first.id(), "below its id"));
        drop(info_span!(parent: &unrecorded, "moved up"));
    });
    let spans = &captured.transaction.spans;
    assert_eq!(parent(spans, "below first"), Some("first"));
    assert_eq!(parent(spans, "below its id"), Some("first"));
    assert_eq!(parent(spans, "moved up"), Some("first"), "below the nearest that is recorded");
}

#[test]
fn a_root_belongs_to_nothing_and_neither_does_what_is_in_it() {
    let captured = record(|| {
        let _inside = info_span!("inside").entered();
        info_span!(parent: None, "root").in_scope(|| {
            inner();
            sentrace_core::start_span("task", "by hand").finish();
        });
        drop(info_span!("after"));
    });
    let spans = &captured.transaction.spans;
    assert_eq!(spans.len(), 2);
    assert_eq!(parent(spans, "after"), Some("inside"));
}

#[test]
fn spans_that_follow_from_others_say_so() {
    let captured = record(|| {
        let first = info_span!("first");
        let second = info_span!("second");
        let third = info_span!("third");
        third.follows_from(&first);
        third.follows_from(&second);
    });
    let id = |name| {
        let span = captured.expect_span(name);
        format!("{}-{}", captured.transaction.trace.trace_id, span.span_id)
    };
    let expected = vec![id("first"), id("second")];
    assert_eq!(captured.expect_span("third").data.get("follows_from"), Some(&expected.into()));
}

#[test]
fn spans_below_info_are_left_out_and_what_is_in_them_moves_up() {
    let captured = record(|| debug_span!("left out").in_scope(outer));
    let root = captured.transaction.trace.span_id;
    assert_eq!(captured.expect_span("outer").parent_span_id, Some(root));
    assert_eq!(captured.transaction.spans.len(), 4);
}

#[test]
fn which_spans_are_recorded_can_be_chosen() {
    let layer = sentrace_tracing::layer().spans(|metadata| metadata.name() != "inner");
    let captured = record_with(layer, outer);
    assert_eq!(captured.transaction.spans.len(), 3);

    let panics = sentrace_tracing::layer().spans(|_| panic!("a filter that cannot decide"));
    assert_eq!(record_with(panics, outer).transaction.spans.len(), 1, "only the one by hand");
}

#[test]
fn what_the_filter_of_the_layer_keeps_away_does_not_exist() {
    let inner_only = FilterFn::new(|metadata| metadata.name() != "outer");
    let subscriber = tracing_subscriber::registry()
        .with(sentrace_tracing::layer().with_filter(inner_only))
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(LevelFilter::TRACE));
    let _default = tracing::subscriber::set_default(subscriber);
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    transaction.enter(outer);
    transaction.finish();
    let captured = capture.expect_transaction("work");
    let spans = &captured.transaction.spans;
    assert_eq!(spans.len(), 3);
    assert_eq!(captured.expect_span("inner").parent_span_id, Some(captured.transaction.trace.span_id));
    assert_eq!(parent(spans, "inner_by_hand"), Some("by hand"));
}

#[test]
fn two_layers_record_everything_once() {
    let subscriber =
        tracing_subscriber::registry().with(sentrace_tracing::layer()).with(sentrace_tracing::layer());
    let _default = tracing::subscriber::set_default(subscriber);
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    transaction.enter(outer);
    transaction.finish();
    assert_eq!(capture.expect_transaction("work").transaction.spans.len(), 4);
}

#[test]
fn outside_a_transaction_nothing_happens() {
    let _default = subscribe(sentrace_tracing::layer());
    let (client, capture) = recording();
    outer();
    client.start_new_trace().enter(outer);
    assert_eq!(capture.take().len(), 0);
    assert_eq!(client.losses().take(), []);
}

#[test]
fn spans_of_a_transaction_that_is_not_sampled_are_counted() {
    let _default = subscribe(sentrace_tracing::layer());
    let (client, capture) = sampled(0.0);
    let transaction = client.start_transaction("work", "task");
    transaction.enter(outer);
    let lost: u64 = client.losses().take().iter().map(|lost| lost.quantity).sum();
    assert_eq!(lost, 4, "three of tracing, one by hand");
    transaction.finish();
    assert_eq!(capture.take().len(), 0);
}

#[test]
fn deep_spans_that_nothing_records_do_not_search_all_spans_above_them() {
    let _default = subscribe(sentrace_tracing::layer());
    let began = std::time::Instant::now();
    let mut entered: Vec<_> = (0..8_000).map(|_| info_span!("deep").entered()).collect();
    while entered.pop().is_some() {}
    assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
}
