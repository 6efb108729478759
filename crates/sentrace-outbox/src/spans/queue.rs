//! The queue of streamed spans.

use sentrace_core::deliver::FinishedSpan;
use sentrace_protocol::Reason;

use crate::budget::{ByteBudget, Reserved};
use crate::sync::{AtomicBool, Ordering, SegQueue, fence};

/// Bounded by the bytes of all spans that wait, here and in buckets. Pushing takes no lock and never waits.
#[derive(Debug)]
pub(crate) struct SpanQueue {
    spans: SegQueue<FinishedSpan>,
    budget: ByteBudget,
    ended: AtomicBool,
}

impl SpanQueue {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { spans: SegQueue::new(), budget: ByteBudget::new(max_bytes), ended: AtomicBool::new(false) }
    }

    /// Takes ownership of a span. Returns `None` after counting it if there is no space. After the end it is counted as
    /// well.
    pub(crate) fn push(&self, span: FinishedSpan) -> Option<Reserved> {
        let Some(reserved) = self.budget.reserve(span.size()) else {
            span.discard(Reason::QueueOverflow);
            return None;
        };
        self.spans.push(span);
        // Pairs with the fences in `end` and in `Queue::fall_asleep`: either they see what was pushed, or whoever pushed
        // sees what they set.
        fence(Ordering::SeqCst);
        if self.ended.load(Ordering::Relaxed) {
            self.discard_all(Reason::QueueOverflow);
        }
        Some(reserved)
    }

    /// Removes the oldest span. Its bytes stay reserved until they are [released](Self::release).
    pub(crate) fn pop(&self) -> Option<FinishedSpan> {
        self.spans.pop()
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub(crate) fn release(&self, bytes: usize) {
        self.budget.release(bytes);
    }

    /// Returns the bytes of all spans that wait, here and in buckets.
    pub(crate) fn bytes(&self) -> usize {
        self.budget.reserved()
    }

    pub(crate) fn is_filling(&self) -> bool {
        self.budget.is_above_mark()
    }

    /// Marks that no consumer takes spans any more, and counts what is left. A push that runs at the same time does so as
    /// well.
    pub(crate) fn end(&self, reason: Reason) {
        self.ended.store(true, Ordering::Relaxed);
        // Pairs with the fence in `push`.
        fence(Ordering::SeqCst);
        self.discard_all(reason);
    }

    fn discard_all(&self, reason: Reason) {
        while let Some(span) = self.spans.pop() {
            self.release(span.size());
            span.discard(reason);
        }
    }
}
