//! The way of finished spans from many requests to one worker.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

use crossbeam_queue::SegQueue;
use sentrace_core::FinishedSpan;
use sentrace_protocol::Reason;

/// Bounded by the bytes of all spans that wait, in here and in buckets. A push takes no lock and waits for nothing.
#[derive(Debug)]
pub(crate) struct SpanQueue {
    spans: SegQueue<FinishedSpan>,
    bytes: AtomicUsize,
    max_bytes: usize,
    ended: AtomicBool,
}

impl SpanQueue {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { spans: SegQueue::new(), bytes: AtomicUsize::new(0), max_bytes, ended: AtomicBool::new(false) }
    }

    /// Takes a span over, or counts it where there is no room or nobody to come for it; whether there was room.
    pub(crate) fn push(&self, span: FinishedSpan) -> bool {
        let size = span.size();
        if self.bytes.fetch_add(size, Ordering::Relaxed) + size > self.max_bytes {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            span.lost(Reason::QueueOverflow);
            return false;
        }
        self.spans.push(span);
        // Pairs with the fences in `end` and in the worker's sleep: either they see what was pushed, or whoever pushed
        // sees what they set.
        fence(Ordering::SeqCst);
        if self.ended.load(Ordering::Relaxed) {
            self.lose_all(Reason::QueueOverflow);
        }
        true
    }

    /// The next span; its bytes count until they are [`release`](Self::release)d.
    pub(crate) fn pop(&self) -> Option<FinishedSpan> {
        self.spans.pop()
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// These bytes are on their way.
    pub(crate) fn release(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Says that nobody comes any more, and counts what is left; who pushes at this moment does so as well.
    pub(crate) fn end(&self, reason: Reason) {
        self.ended.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.lose_all(reason);
    }

    fn lose_all(&self, reason: Reason) {
        while let Some(span) = self.spans.pop() {
            self.release(span.size());
            span.lost(reason);
        }
    }
}
