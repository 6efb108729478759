//! A client whose transactions are kept, and subscribers with the layer.

use std::sync::{Arc, Once};

use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{Client, Options};
use sentrace_protocol::TransactionSpan;
pub(crate) use sentrace_testkit::recording;
use sentrace_tracing::TracingLayer;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

pub(crate) fn sampled(rate: f64) -> (Client, Arc<Capture>) {
    Capture::client(Options::new().traces_sample_rate(rate)).unwrap()
}

/// Makes a subscriber with `layer` the default of this thread.
pub(crate) fn subscribe(layer: TracingLayer) -> DefaultGuard {
    tracing::subscriber::set_default(tracing_subscriber::registry().with(layer))
}

/// Makes a subscriber with the layer the default of all threads, sqlx's among them. Its log wants all spans: those of `sea-orm` are
/// then open around each query, and the filter of our layer keeps them from it.
pub(crate) fn subscribe_everywhere() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let layer = sentrace_tracing::layer().with_filter(LevelFilter::DEBUG);
        let log = tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(LevelFilter::TRACE);
        let subscriber = tracing_subscriber::registry().with(log).with(layer);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// What `run` leaves in a transaction, with the plain layer.
pub(crate) fn record(run: impl FnOnce()) -> CapturedTransaction {
    record_with(sentrace_tracing::layer(), run)
}

/// What `run` leaves in a transaction, with this layer.
pub(crate) fn record_with(layer: TracingLayer, run: impl FnOnce()) -> CapturedTransaction {
    let _default = subscribe(layer);
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    transaction.enter(run);
    transaction.finish();
    capture.expect_transaction("work")
}

/// How long a span took, in seconds.
pub(crate) fn seconds(span: &TransactionSpan<'_>) -> f64 {
    span.timestamp.0.as_secs_f64() - span.start_timestamp.0.as_secs_f64()
}
