//! The seam for spans that are sent by themselves.

use crate::record::span::Segment;
use std::fmt;

use sentrace_protocol::dsc::DynamicSamplingContext;
use sentrace_protocol::losses::{Category, Reason};
use sentrace_protocol::{SpanId, TraceId, span_v2};

use crate::record::{Record, pool};
use crate::trace::state::SharedTrace;

/// Takes over single finished spans; see [`Deliver::spans`](crate::Deliver::spans).
pub trait DeliverSpans {
    /// Takes a finished span over, on the thread that finished it: it must not block. What it cannot keep it gives
    /// up with [`FinishedSpan::lost`].
    ///
    /// Spans of a trace come in the order of their ending, so a transaction's own span
    /// ([`is_segment`](FinishedSpan::is_segment)) comes after those that ended before it, and others may follow.
    fn deliver_span(&self, span: FinishedSpan);
}

/// A finished span on its way: a compact record, from which the payload is built where time is cheap.
///
/// The later it is read, the more is known: the name of its transaction, and whether that was thrown away. Dropping it
/// gives its memory back to the requests and counts nothing.
pub struct FinishedSpan {
    record: Option<Box<Record>>,
    trace: SharedTrace,
}

impl FinishedSpan {
    pub(crate) fn new(record: Box<Record>, trace: SharedTrace) -> Self {
        Self { record: Some(record), trace }
    }

    /// The trace it belongs to. Only spans of one trace share an envelope.
    pub fn trace_id(&self) -> TraceId {
        self.trace.trace_id
    }

    /// Whether it is what a transaction is otherwise: the topmost span of its trace in this service. When it comes,
    /// most of the others are there.
    pub fn is_segment(&self) -> bool {
        self.span_id() == Some(self.trace.span_id)
    }

    /// About how many bytes it holds in memory.
    pub fn size(&self) -> usize {
        self.record.as_deref().map_or(0, Record::size) + size_of::<Self>()
    }

    /// Why it is not to be sent, where somebody has thrown its transaction away
    /// ([`Transaction::discard`](crate::Transaction::discard)): then it is [`lost`](Self::lost) for that reason.
    pub fn discarded(&self) -> Option<Reason> {
        self.trace.live().stream.as_ref().and_then(|stream| stream.discarded())
    }

    /// Lends the payload, with what is known by now. `None` in place of what `read` would have answered where there is
    /// no span, which does not happen.
    pub fn read<R>(&self, read: impl FnOnce(&span_v2::Span<'_>) -> R) -> Option<R> {
        let (name, anchor) = {
            let mut live = self.trace.live();
            let anchor = live.stream.as_mut().map(|stream| stream.anchor());
            (live.segment_name(), anchor.unwrap_or_else(crate::record::Anchor::now))
        };
        let segment = Segment { name: &name, span_id: self.trace.span_id };
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
        let frozen = self.trace.with_frozen_baggage(|baggage| {
            (!baggage.is_empty()).then(|| DynamicSamplingContext::from_baggage(baggage))
        });
        frozen.or_else(|| {
            let public_key = self.trace.pipeline.identity.public_key.as_deref()?;
            let trace_id = self.trace.trace_id.to_hex();
            Some([("trace_id", &*trace_id), ("public_key", public_key)].into_iter().collect())
        })
    }

    /// It will not arrive: counts it for `reason`.
    pub fn lost(self, reason: Reason) {
        self.trace.pipeline.losses.record(reason, Category::Span, 1);
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
