//! The interface to whatever delivers finished transactions.

use std::fmt;
use std::time::Duration;

use sentrace_protocol::dsc::DynamicSamplingContext;
use sentrace_protocol::transaction::{MAX_BYTES, SdkInfo, TransactionPayload};
use sentrace_protocol::{EventId, TraceId};

use crate::account::stats::DeliveryStats;
use crate::record::{Record, pool};
use crate::trace::finished_span::DeliverSpans;

/// Receives finished transactions. `sentrace-delivery` sends them; [`testing`](crate::testing)
/// keeps them.
pub trait Deliver: Send + Sync + fmt::Debug {
    /// Takes over a finished transaction.
    ///
    /// This runs on the thread of the request that finished it, so it must not block. Transactions
    /// that cannot be kept are counted in the [`Losses`](crate::deliver::Losses) that are shared
    /// with the client.
    fn deliver(&self, finished: FinishedTransaction);

    /// Returns how many times sample rates have to be halved at the moment because delivery cannot
    /// keep up; 0 if it can.
    ///
    /// This is called at the start of each transaction that a rate decides, so it must be fast
    /// (Sentry SDK specification, *Backpressure*).
    fn downsample_factor(&self) -> u32 {
        0
    }

    /// Returns the receiver of streamed spans
    /// ([`TraceLifecycle::Stream`](crate::TraceLifecycle::Stream)).
    ///
    /// A deliverer that returns `None` receives whole transactions even when streaming is enabled.
    fn spans(&self) -> Option<&dyn DeliverSpans> {
        None
    }

    /// Returns the state of delivery, for [`Client::stats`](crate::Client::stats).
    fn stats(&self) -> DeliveryStats {
        DeliveryStats::default()
    }

    /// Waits until everything that was handed over is delivered or lost. Returns `false` if
    /// `timeout` elapsed first.
    fn flush(&self, timeout: Duration) -> bool;

    /// Like [`flush`](Self::flush), and stops delivery.
    fn close(&self, timeout: Duration) -> bool {
        self.flush(timeout)
    }
}

/// A finished transaction on its way to delivery: a compact record, from which the payload is built
/// off the request's path.
///
/// Dropping it returns its memory to the requests.
pub struct FinishedTransaction {
    record: Option<Box<Record>>,
}

impl FinishedTransaction {
    pub(crate) fn new(record: Box<Record>) -> Self {
        Self { record: Some(record) }
    }

    /// Returns the id under which Sentry stores the transaction.
    pub fn event_id(&self) -> Option<EventId> {
        self.record().map(|record| record.event_id)
    }

    /// Returns the id of its trace.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.record().map(|record| record.trace_id)
    }

    /// Returns the number of finished spans below the transaction. They are lost with it.
    pub fn child_spans(&self) -> u64 {
        self.record().map_or(0, |record| (record.child_spans() - record.unfinished_spans()) as u64)
    }

    /// Returns how many bytes it holds in memory, approximately.
    pub fn size(&self) -> usize {
        self.record().map_or(0, Record::size)
    }

    /// Builds the payload. Wall-clock times are computed from the current time.
    ///
    /// It has at most 1 MiB as JSON, which is Sentry's limit. What does not fit is left out with a
    /// warning; left-out spans have to be counted with [`omitted_spans`](Self::omitted_spans).
    pub fn transaction(&self) -> Option<TransactionPayload<'_>> {
        let record = self.record()?;
        let mut transaction = record.transaction(&crate::record::Anchor::now())?;
        let cut = transaction.fit(MAX_BYTES);
        crate::record::oversize::report("transaction", record, cut);
        Some(transaction)
    }

    /// Returns how many of its spans are not in the payload because they do not fit. They are lost
    /// for [`BufferOverflow`](sentrace_protocol::Reason::BufferOverflow). Call this before a hook
    /// removes spans.
    pub fn omitted_spans(&self, transaction: &TransactionPayload<'_>) -> u64 {
        self.child_spans().saturating_sub(transaction.spans.len() as u64)
    }

    /// Shrinks a payload that a hook may have enlarged. Returns how many spans this removed.
    pub fn refit(&self, transaction: &mut TransactionPayload<'_>) -> u64 {
        let cut = transaction.fit(MAX_BYTES);
        if let Some(record) = self.record().filter(|_| !cut.is_nothing()) {
            crate::record::oversize::report("transaction", record, cut);
        }
        cut.spans as u64
    }

    /// Returns the envelope's `trace` header: the frozen dynamic sampling context, as it was sent
    /// in `baggage`.
    ///
    /// Returns `None` if the caller froze an empty one: it sent `sentry-trace` without Sentry's
    /// baggage, or with that of another trace.
    pub fn dynamic_sampling_context(&self) -> Option<DynamicSamplingContext> {
        let record = self.record()?;
        let baggage = record.baggage.read(record.trace_id);
        (!baggage.is_empty()).then(|| DynamicSamplingContext::from_baggage(&baggage))
    }

    /// Returns name and version of this SDK, for envelope headers.
    pub const fn sdk() -> SdkInfo<'static> {
        crate::record::SDK
    }

    fn record(&self) -> Option<&Record> {
        self.record.as_deref()
    }
}

impl Drop for FinishedTransaction {
    fn drop(&mut self) {
        if let Some(record) = self.record.take() {
            pool::give_back(record);
        }
    }
}

impl fmt::Debug for FinishedTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishedTransaction")
            .field("event_id", &self.event_id())
            .field("trace_id", &self.trace_id())
            .field("child_spans", &self.child_spans())
            .finish()
    }
}

/// The deliverer of clients without a project, which record no transactions.
#[derive(Debug)]
pub(crate) struct NoopDeliver;

impl Deliver for NoopDeliver {
    fn deliver(&self, _finished: FinishedTransaction) {}

    fn flush(&self, _timeout: Duration) -> bool {
        true
    }
}
