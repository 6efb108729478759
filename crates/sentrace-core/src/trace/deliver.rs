//! The seam to whatever brings finished transactions to Sentry.

use std::fmt;
use std::time::Duration;

use sentrace_protocol::dsc::DynamicSamplingContext;
use sentrace_protocol::transaction::{MAX_BYTES, SdkInfo, Transaction};
use sentrace_protocol::{EventId, TraceId};

use crate::account::stats::DeliveryStats;
use crate::record::{Record, pool};
use crate::trace::finished_span::DeliverSpans;

/// Takes over finished transactions. `sentrace-delivery` sends them; [`testing`](crate::testing) keeps them.
pub trait Deliver: Send + Sync + fmt::Debug {
    /// Takes a finished transaction over, on the thread of the request that finished it: it must not block, and
    /// what it cannot keep it counts in the [`Losses`](crate::deliver::Losses) that it shares with the client.
    fn deliver(&self, finished: FinishedTransaction);

    /// How many times the rates decided here are to be halved at present, because more comes than can be delivered;
    /// 0 while all is well. Asked at the start of each transaction that a rate decides, so it must be quick (Sentry
    /// SDK specification, *Backpressure*).
    fn downsample_factor(&self) -> u32 {
        0
    }

    /// Where spans go that are sent by themselves ([`TraceLifecycle::Stream`](crate::TraceLifecycle::Stream)). Who has
    /// no place for them gets transactions, whatever the options say.
    fn spans(&self) -> Option<&dyn DeliverSpans> {
        None
    }

    /// How delivery goes, for [`Client::stats`](crate::Client::stats).
    fn stats(&self) -> DeliveryStats {
        DeliveryStats::default()
    }

    /// Waits until all that was handed over is delivered or lost; whether that came true within `timeout`.
    fn flush(&self, timeout: Duration) -> bool;

    /// Like [`flush`](Self::flush), and nothing is delivered any more afterwards.
    fn close(&self, timeout: Duration) -> bool {
        self.flush(timeout)
    }
}

/// A finished transaction on its way: a compact record, from which the payload is built where time is cheap.
///
/// Dropping it gives its memory back to the requests.
pub struct FinishedTransaction {
    record: Option<Box<Record>>,
}

impl FinishedTransaction {
    pub(crate) fn new(record: Box<Record>) -> Self {
        Self { record: Some(record) }
    }

    /// The id that Sentry will know the transaction by.
    pub fn event_id(&self) -> Option<EventId> {
        self.record().map(|record| record.event_id)
    }

    /// The trace it belongs to.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.record().map(|record| record.trace_id)
    }

    /// Finished spans below the transaction: what a lost transaction loses besides itself.
    pub fn child_spans(&self) -> u64 {
        self.record().map_or(0, |record| (record.child_spans() - record.unfinished_spans()) as u64)
    }

    /// About how many bytes it holds in memory.
    pub fn size(&self) -> usize {
        self.record().map_or(0, Record::size)
    }

    /// The payload; wall-clock times are taken from the clock as it is now. It takes at most 1 MiB as JSON, which is what
    /// Sentry accepts; what does not fit is left out and warned of, and spans are to be counted with
    /// [`omitted_spans`](Self::omitted_spans).
    pub fn transaction(&self) -> Option<Transaction<'_>> {
        let record = self.record()?;
        let mut transaction = record.transaction(&crate::record::Anchor::now())?;
        let cut = transaction.fit(MAX_BYTES);
        crate::record::oversize::report("transaction", record, cut);
        Some(transaction)
    }

    /// How many of its spans are not in the payload because they do not fit: they are lost for
    /// [`BufferOverflow`](sentrace_protocol::Reason::BufferOverflow). To be asked before a hook takes out others.
    pub fn omitted_spans(&self, transaction: &Transaction<'_>) -> u64 {
        self.child_spans().saturating_sub(transaction.spans.len() as u64)
    }

    /// Makes a payload fit again that a hook may have enlarged; returns how many spans that left out.
    pub fn refit(&self, transaction: &mut Transaction<'_>) -> u64 {
        let cut = transaction.fit(MAX_BYTES);
        if let Some(record) = self.record().filter(|_| !cut.is_nothing()) {
            crate::record::oversize::report("transaction", record, cut);
        }
        cut.spans as u64
    }

    /// The envelope's `trace` header: the frozen dynamic sampling context, the same that went out as `baggage`.
    ///
    /// `None` where upstream froze an empty one: `sentry-trace` came without Sentry's baggage, or with that of another trace.
    pub fn dynamic_sampling_context(&self) -> Option<DynamicSamplingContext> {
        let record = self.record()?;
        let baggage = record.baggage.read(record.trace_id);
        (!baggage.is_empty()).then(|| DynamicSamplingContext::from_baggage(&baggage))
    }

    /// Name and version of this SDK, for envelope headers.
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

/// Where transactions go when there is no project; none are made.
#[derive(Debug)]
pub(crate) struct NoopDeliver;

impl Deliver for NoopDeliver {
    fn deliver(&self, _finished: FinishedTransaction) {}

    fn flush(&self, _timeout: Duration) -> bool {
        true
    }
}
