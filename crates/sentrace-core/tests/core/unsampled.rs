//! An unsampled transaction: nothing is sent, everything is counted, the trace continues.

use sentrace_core::Options;
use sentrace_core::{current_span, in_span, start_span};
use sentrace_protocol::losses::{Category, DiscardedEvents, Reason};

use crate::support::recording_with;

const fn lost(category: Category, quantity: u64) -> DiscardedEvents {
    DiscardedEvents { reason: Reason::SampleRate, category, quantity }
}

#[tokio::test]
async fn it_is_counted_with_the_spans_that_it_would_have_had() {
    let (client, capture) = recording_with(Options::new().traces_sample_rate(0.0));
    let transaction = client.start_transaction("work", "task");
    assert!(!transaction.is_recording());
    transaction
        .scope(async {
            in_span("task", "a", async { start_span("task", "below a").finish() }).await;
            start_span("task", "b").finish();
            current_span().set_data("nothing", "happens");
        })
        .await;
    assert_eq!(client.losses().peek(), [lost(Category::Span, 3)], "each when it would have started");
    transaction.finish();
    assert_eq!(client.losses().take(), [lost(Category::Transaction, 1), lost(Category::Span, 4)]);
    assert_eq!(capture.take().len(), 0);
}

#[test]
fn its_spans_carry_a_parent_that_exists_upstream_and_the_decision() {
    let (client, _) = recording_with(Options::new().traces_sample_rate(0.0));
    let transaction = client.start_transaction("work", "task");
    let below = transaction.start_span("task", "a").start_span("task", "b").sentry_trace().unwrap();
    assert_eq!(Some(below.span_id), transaction.span_id());
    assert_eq!(below.sampled, Some(false));
    let baggage = transaction.baggage().unwrap();
    assert!(
        baggage.contains("sentry-sampled=false") && baggage.contains("sentry-sample_rate=0"),
        "{baggage}"
    );
}

#[test]
fn discarding_it_counts_it_once_for_the_reason_it_was_decided_by() {
    let (client, _) = recording_with(Options::new().traces_sample_rate(0.0));
    client.start_transaction("work", "task").discard(Reason::Ignored);
    assert_eq!(client.losses().take(), [lost(Category::Transaction, 1), lost(Category::Span, 1)]);
}

#[test]
fn with_tracing_off_nothing_is_lost_because_nothing_was_wanted() {
    let (client, capture) = recording_with(Options::new());
    let transaction = client.start_transaction("work", "task");
    transaction.start_span("task", "a").finish();
    let carried = transaction.sentry_trace().unwrap();
    assert_eq!(carried.sampled, None, "the decision is open");
    transaction.finish();
    assert_eq!(client.losses().take(), []);
    assert_eq!(capture.take().len(), 0);
}
