//! Finished spans of one trace that are sent together.

use std::collections::VecDeque;

use sentrace_core::FinishedSpan;
use sentrace_protocol::span_v2::SpanItems;
use sentrace_protocol::{DynamicSamplingContext, Reason};

/// Spans of one trace. What nobody takes out is counted when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    spans: VecDeque<FinishedSpan>,
    bytes: usize,
}

impl Batch {
    pub(crate) fn push(&mut self, span: FinishedSpan) {
        self.bytes += span.size();
        self.spans.push_back(span);
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Bytes in memory of all that was put in.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What the envelope's `trace` header says. Asking freezes it.
    pub(crate) fn dynamic_sampling_context(&self) -> Option<DynamicSamplingContext> {
        self.spans.front()?.dynamic_sampling_context()
    }

    /// Moves as many spans into `items` as fit. Those that are not to be sent, or cannot be, are counted instead.
    pub(crate) fn fill(&mut self, items: &mut SpanItems) {
        while let Some(span) = self.spans.pop_front() {
            if let Some(reason) = span.discarded() {
                span.lost(reason);
                continue;
            }
            match sentrace_core::guarded(|| span.read(|payload| items.push(payload))).flatten() {
                Some(Ok(true)) => {}
                Some(Ok(false)) if !items.is_empty() => {
                    self.spans.push_front(span);
                    return;
                }
                // Too large for any item, or it cannot be written.
                _ => span.lost(Reason::InternalSdkError),
            }
        }
    }

    /// It will not arrive.
    pub(crate) fn lost(mut self, reason: Reason) {
        self.count(reason);
    }

    fn count(&mut self, reason: Reason) {
        for span in self.spans.drain(..) {
            let reason = span.discarded().unwrap_or(reason);
            span.lost(reason);
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.count(Reason::InternalSdkError);
    }
}
