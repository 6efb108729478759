//! Finished spans of one trace that are sent together.

use std::collections::VecDeque;

use sentrace_core::deliver::FinishedSpan;
use sentrace_protocol::span_v2::SpanItems;
use sentrace_protocol::{DynamicSamplingContext, Reason, SpanPayload};

/// Streamed spans of one trace that are ready to be sent. Spans that are still in it when it is dropped are counted as
/// lost.
#[derive(Debug, Default)]
pub struct SpanBatch {
    spans: VecDeque<FinishedSpan>,
    bytes: usize,
}

impl SpanBatch {
    pub(crate) fn push(&mut self, span: FinishedSpan) {
        self.bytes += span.size();
        self.spans.push_back(span);
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Returns `true` if all spans were taken out.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Returns the bytes in memory of all spans that were put in.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the envelope's `trace` header, and freezes it.
    pub fn dynamic_sampling_context(&self) -> Option<DynamicSamplingContext> {
        self.spans.front()?.dynamic_sampling_context()
    }

    /// Moves as many spans into `items` as fit. Spans that must not or cannot be sent are counted as lost instead.
    pub fn fill(&mut self, items: &mut SpanItems) {
        while let Some(span) = self.spans.pop_front() {
            if let Some(reason) = span.discard_reason() {
                span.discard(reason);
                continue;
            }
            match sentrace_core::adapter::catch_panic(|| span.read(|payload| items.push(payload))).flatten() {
                Some(Ok(true)) => {}
                Some(Ok(false)) if !items.is_empty() => {
                    self.spans.push_front(span);
                    return;
                }
                // Too large for any item, or serialisation failed.
                _ => span.discard(Reason::InternalSdkError),
            }
        }
    }

    /// Lets a hook change each span that is to be sent.
    pub(crate) fn edit(&mut self, edit: impl Fn(&mut SpanPayload<'_, '_>)) {
        for span in self.spans.iter_mut().filter(|span| span.discard_reason().is_none()) {
            // A payload that cannot be built is counted when it is read.
            sentrace_core::adapter::catch_panic(|| span.edit(&edit));
        }
    }

    /// Drops all remaining spans, which were counted already.
    pub(crate) fn forget(&mut self) {
        self.spans.clear();
    }

    /// Counts all remaining spans as lost.
    pub fn discard(mut self, reason: Reason) {
        self.discard_all(reason);
    }

    fn discard_all(&mut self, reason: Reason) {
        for span in self.spans.drain(..) {
            let reason = span.discard_reason().unwrap_or(reason);
            span.discard(reason);
        }
    }
}

impl Drop for SpanBatch {
    fn drop(&mut self) {
        self.discard_all(Reason::InternalSdkError);
    }
}
