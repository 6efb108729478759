//! Hooks that open `tracing` spans, as `#[tracing::instrument]` does on any function: nothing comes of these.

use std::sync::atomic::{AtomicUsize, Ordering};

use sentrace_core::Options;
use sentrace_core::testing::Capture;
use tracing::{error_span, instrument};

use crate::support::{record_with, subscribe};

static ASKED: AtomicUsize = AtomicUsize::new(0);

#[instrument]
fn rate() -> f64 {
    ASKED.fetch_add(1, Ordering::Relaxed);
    tracing::error!("the sampler's own trouble");
    1.0
}

#[test]
fn an_instrumented_sampler_is_asked_once_a_transaction() {
    let _default = subscribe(sentrace_tracing::layer().transactions(|_| true));
    let (client, capture) = Capture::client(Options::new().traces_sampler(|_| rate())).unwrap();
    let outer = client.start_transaction("outer", "task");
    outer.enter(|| client.start_transaction("below", "task").finish());
    outer.finish();
    let captured = capture.take();
    let seen: Vec<_> = captured
        .iter()
        .map(|one| (&*one.transaction.name, one.transaction.spans.len(), one.transaction.trace.status))
        .collect();
    let ok = Some(sentrace_protocol::SpanStatus::Ok);
    assert_eq!(seen, [("below", 0, ok), ("outer", 0, ok)]);
    assert_eq!(ASKED.load(Ordering::Relaxed), 2);
}

/// A filter that is instrumented would be asked about its own span.
#[instrument]
fn wanted(name: &'static str) -> bool {
    tracing::info_span!("within").in_scope(|| name == "wanted")
}

#[test]
fn an_instrumented_filter_is_not_asked_about_itself() {
    let layer = || sentrace_tracing::layer().spans(|metadata| wanted(metadata.name()));
    let captured = record_with(layer(), || {
        error_span!("wanted").in_scope(|| error_span!("unwanted").in_scope(|| {}));
    });
    assert_eq!(captured.transaction.spans.len(), 1);
    captured.expect_span("wanted");
    let layer = layer().transactions(|metadata| wanted(metadata.name()));
    let captured = record_with(layer, || error_span!("unwanted").in_scope(|| {}));
    assert_eq!(captured.transaction.spans.len(), 0);
}

/// A value whose text is code that traces.
struct Value;

impl std::fmt::Display for Value {
    #[instrument(skip_all)]
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        sentrace_core::start_span("task", "inner").finish();
        tracing::error!("the value's own trouble");
        f.write_str("shown")
    }
}

#[test]
fn values_that_trace_are_recorded_and_what_they_open_is_not() {
    let captured = record_with(sentrace_tracing::layer(), || {
        error_span!("step", value = %Value).in_scope(|| {});
    });
    assert_eq!(captured.transaction.spans.len(), 1);
    let step = captured.expect_span("step");
    assert_eq!(step.data.get("value"), Some(&"shown".into()));
    assert_eq!(step.status, Some(sentrace_protocol::SpanStatus::Ok));
}

#[test]
fn a_handler_that_logs_does_not_fail_the_span_that_it_interrupts() {
    sentrace_core::diagnostics::set_handler(|_, message| {
        let _entered = tracing::error_span!("handler").entered();
        tracing::error!("{message}");
    });
    let captured = record_with(sentrace_tracing::layer().errors(true), || {
        error_span!("step").in_scope(|| sentrace_core::diagnostics::warn(format_args!("something is wrong")));
    });
    assert_eq!(captured.transaction.spans.len(), 1);
    assert_eq!(captured.expect_span("step").status, Some(sentrace_protocol::SpanStatus::Ok));
}
