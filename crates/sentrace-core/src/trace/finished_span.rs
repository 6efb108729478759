//! The seam for spans that are sent by themselves.

use crate::record::span::SegmentName;
use std::fmt;

use sentrace_protocol::dsc::DynamicSamplingContext;
use sentrace_protocol::losses::Reason;
use sentrace_protocol::{SpanId, TraceId, span_v2};
use triomphe::Arc;

use crate::record::{Anchor, Record, pool};

/// Takes over single finished spans; see [`Deliver::spans`](crate::deliver::Deliver::spans).
pub trait DeliverSpans {
    /// Takes a finished span over, on the thread that finished it: it must not block. What it cannot keep it gives
    /// up with [`FinishedSpan::lost`].
    ///
    /// Spans of a trace come in the order of their ending, so a transaction's own span
    /// ([`is_segment`](FinishedSpan::is_segment)) comes after those that ended before it, and others may follow.
    fn deliver_span(&self, span: FinishedSpan);
}

/// What a finished span asks its transaction when it is about to be sent.
pub(crate) trait Segment: Send + Sync {
    fn trace_id(&self) -> TraceId;

    /// The id of the transaction's own span.
    fn span_id(&self) -> SpanId;

    /// Why the spans of this transaction are not to be sent, if it was discarded.
    fn discarded(&self) -> Option<Reason>;

    /// The name that the transaction has by now, and the one anchor of all its spans.
    fn name_and_anchor(&self) -> (std::sync::Arc<str>, Anchor);

    /// Freezes the dynamic sampling context.
    fn dynamic_sampling_context(&self) -> Option<DynamicSamplingContext>;

    /// Counts a span that does not arrive.
    fn count_lost(&self, reason: Reason);
}

/// A finished span on its way: a compact record, from which the payload is built where time is cheap.
///
/// The later it is read, the more is known: the name of its transaction, and whether that was thrown away. Dropping it
/// gives its memory back to the requests and counts nothing.
pub struct FinishedSpan {
    record: Option<Box<Record>>,
    segment: Arc<dyn Segment>,
}

impl FinishedSpan {
    pub(crate) fn new(record: Box<Record>, segment: Arc<dyn Segment>) -> Self {
        Self { record: Some(record), segment }
    }

    /// The trace it belongs to. Only spans of one trace share an envelope.
    pub fn trace_id(&self) -> TraceId {
        self.segment.trace_id()
    }

    /// Whether it is what a transaction is otherwise: the topmost span of its trace in this service. When it comes,
    /// most of the others are there.
    pub fn is_segment(&self) -> bool {
        self.span_id() == Some(self.segment.span_id())
    }

    /// About how many bytes it holds in memory.
    pub fn size(&self) -> usize {
        self.record.as_deref().map_or(0, Record::size) + size_of::<Self>()
    }

    /// Why it is not to be sent, where somebody has thrown its transaction away
    /// ([`Transaction::discard`](crate::Transaction::discard)): then it is [`lost`](Self::lost) for that reason.
    pub fn discarded(&self) -> Option<Reason> {
        self.segment.discarded()
    }

    /// Lends the payload, with what is known by now. `None` in place of what `read` would have answered where there is
    /// no span, which does not happen.
    pub fn read<R>(&self, read: impl FnOnce(&span_v2::Span<'_>) -> R) -> Option<R> {
        let (name, anchor) = self.segment.name_and_anchor();
        let segment = SegmentName { name: &name, span_id: self.segment.span_id() };
        let record = self.record.as_deref()?;
        let mut span = record.span(&segment, &anchor)?;
        // An item that holds nothing else has to hold it.
        let cut = span.fit(span_v2::MAX_SPAN_BYTES);
        crate::record::oversize::report("span", record, cut);
        Some(read(&span))
    }

    /// The envelope's `trace` header. Whoever asks is about to send, so this freezes the dynamic sampling context.
    ///
    /// Where upstream froze an empty one (`sentry-trace` came without Sentry's baggage), it says what no envelope of
    /// spans may lack and nothing more: the trace's id and our key. `None` without a DSN.
    pub fn dynamic_sampling_context(&self) -> Option<DynamicSamplingContext> {
        self.segment.dynamic_sampling_context()
    }

    /// It will not arrive: counts it for `reason`.
    pub fn lost(self, reason: Reason) {
        self.segment.count_lost(reason);
    }

    fn span_id(&self) -> Option<SpanId> {
        self.record.as_deref()?.spans.first().map(|span| span.span_id)
    }
}

impl Drop for FinishedSpan {
    fn drop(&mut self) {
        if let Some(record) = self.record.take() {
            pool::give_back(record);
        }
    }
}

impl fmt::Debug for FinishedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishedSpan")
            .field("trace_id", &self.trace_id())
            .field("span_id", &self.span_id())
            .field("is_segment", &self.is_segment())
            .finish()
    }
}
