//! Sinks of the peers, which count and drop: an exporter for OpenTelemetry and a transport for
//! sentry.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use sentry::protocol::EnvelopeItem;
use sentry::{Envelope, Transport};

use crate::http::server::Recorded;

/// A counter.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds to the counter.
    pub fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Returns the count so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Recorded for Counter {
    fn yielded(&self) -> u64 {
        self.get()
    }
}

impl SpanExporter for Counter {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        self.add(batch.len());
        let done: Ready<OTelSdkResult> = ready(Ok(()));
        done
    }
}

impl opentelemetry_sdk_0_32::trace::SpanExporter for Counter {
    fn export(
        &self,
        batch: Vec<opentelemetry_sdk_0_32::trace::SpanData>,
    ) -> impl Future<Output = opentelemetry_sdk_0_32::error::OTelSdkResult> + Send {
        self.add(batch.len());
        ready(Ok(()))
    }
}

impl Transport for Counter {
    fn send_envelope(&self, envelope: Envelope) {
        self.add(records(&envelope));
    }
}

/// Passes each envelope to another thread, which counts and drops it.
pub struct HandingOver(Sender<Envelope>);

impl HandingOver {
    /// Starts the thread.
    pub fn new(counter: Counter) -> Self {
        let (sender, envelopes) = channel::<Envelope>();
        std::thread::spawn(move || {
            for envelope in envelopes {
                let records = records(&envelope);
                drop(envelope);
                counter.add(records);
            }
        });
        Self(sender)
    }
}

impl Transport for HandingOver {
    fn send_envelope(&self, envelope: Envelope) {
        let _ = self.0.send(envelope);
    }
}

/// Returns the number of transactions and spans.
fn records(envelope: &Envelope) -> usize {
    envelope
        .items()
        .map(|item| match item {
            EnvelopeItem::Transaction(transaction) => 1 + transaction.spans.len(),
            _ => 0,
        })
        .sum()
}
