//! The interface for streamed spans.

use crate::record::span::SegmentName;
use std::fmt;

use sentrace_protocol::dsc::DynamicSamplingContext;
use sentrace_protocol::losses::Reason;
use sentrace_protocol::{SpanId, SpanPayload, TraceId, span_v2};
use triomphe::Arc;

use crate::record::{Anchor, Record, pool};

/// Receives single finished spans; see [`Deliver::spans`](crate::deliver::Deliver::spans).
pub trait DeliverSpans {
    /// Takes over a finished span.
    ///
    /// This runs on the thread that finished it, so it must not block. Spans that cannot be kept
    /// are given up with [`FinishedSpan::discard`].
    ///
    /// Spans of a trace arrive in the order in which they end. A transaction's own span
    /// ([`is_segment`](FinishedSpan::is_segment)) comes after those that ended before it, and
    /// others may follow.
    fn deliver_span(&self, span: FinishedSpan);
}

/// What a finished span needs from its transaction when it is about to be sent.
pub(crate) trait Segment: Send + Sync {
    fn trace_id(&self) -> TraceId;

    /// Returns the id of the transaction's own span.
    fn span_id(&self) -> SpanId;

    /// Returns why the spans of this transaction are not sent, if it was discarded.
    fn discarded(&self) -> Option<Reason>;

    /// Returns the transaction's name so far, and the time anchor that all its spans share.
    fn name_and_anchor(&self) -> (std::sync::Arc<str>, Anchor);

    /// Freezes and returns the dynamic sampling context.
    fn dynamic_sampling_context(&self) -> Option<DynamicSamplingContext>;

    /// Counts a span that is lost.
    fn count_lost(&self, reason: Reason);
}

/// A finished span on its way to delivery: a compact record, from which the payload is built off
/// the request's path.
///
/// The later it is read, the more is known: the name of its transaction, and whether that was
/// discarded. Dropping it returns its memory to the requests and counts nothing.
pub struct FinishedSpan {
    record: Option<Box<Record>>,
    /// The payload after a hook has changed it.
    edited: Option<Box<span_v2::StreamedSpan<'static>>>,
    segment: Arc<dyn Segment>,
}

impl FinishedSpan {
    pub(crate) fn new(record: Box<Record>, segment: Arc<dyn Segment>) -> Self {
        Self { record: Some(record), edited: None, segment }
    }

    /// Returns the id of its trace. An envelope has spans of one trace only.
    pub fn trace_id(&self) -> TraceId {
        self.segment.trace_id()
    }

    /// Returns `true` if this is the transaction's own span: the topmost span of its trace in this
    /// service. Most of the others have arrived by then.
    pub fn is_segment(&self) -> bool {
        self.span_id() == Some(self.segment.span_id())
    }

    /// Returns how many bytes it holds in memory, approximately.
    pub fn size(&self) -> usize {
        self.record.as_deref().map_or(0, Record::size) + size_of::<Self>()
    }

    /// Returns why it must not be sent, if its transaction was discarded
    /// ([`Transaction::discard`](crate::Transaction::discard)). Then it has to be
    /// [discarded](Self::discard) for that reason.
    pub fn discard_reason(&self) -> Option<Reason> {
        self.segment.discarded()
    }

    /// Calls `read` with the payload, built from what is known so far. Returns `None` if there is
    /// no span, which does not happen.
    pub fn read<R>(&self, read: impl FnOnce(&span_v2::StreamedSpan<'_>) -> R) -> Option<R> {
        match &self.edited {
            Some(edited) => Some(read(edited)),
            None => self.with_payload(|span| read(span)),
        }
    }

    /// Lets a hook change the payload, which is built for it with what is known by now. [`read`](Self::read) lends the
    /// changed payload from then on.
    pub fn edit(&mut self, edit: impl FnOnce(&mut SpanPayload<'_, '_>)) {
        self.edited = self.with_payload(|span| {
            edit(&mut SpanPayload::of_streamed(span));
            let cut = span.fit(span_v2::MAX_SPAN_BYTES);
            if let Some(record) = self.record.as_deref().filter(|_| !cut.is_nothing()) {
                crate::record::oversize::report("span", record, cut);
            }
            Box::new(span.clone().into_owned())
        });
    }

    fn with_payload<R>(&self, run: impl FnOnce(&mut span_v2::StreamedSpan<'_>) -> R) -> Option<R> {
        let (name, anchor) = self.segment.name_and_anchor();
        let segment = SegmentName { name: &name, span_id: self.segment.span_id() };
        let record = self.record.as_deref()?;
        let mut span = record.span(&segment, &anchor)?;
        // It has to fit into an item of its own.
        let cut = span.fit(span_v2::MAX_SPAN_BYTES);
        crate::record::oversize::report("span", record, cut);
        Some(run(&mut span))
    }

    /// Returns the envelope's `trace` header, and freezes the dynamic sampling context.
    ///
    /// If the caller froze an empty one (it sent `sentry-trace` without Sentry's baggage), this has
    /// only what an envelope of spans requires: the trace id and the public key. Returns `None`
    /// without a DSN.
    pub fn dynamic_sampling_context(&self) -> Option<DynamicSamplingContext> {
        self.segment.dynamic_sampling_context()
    }

    /// Counts the span as lost for `reason`.
    pub fn discard(self, reason: Reason) {
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
