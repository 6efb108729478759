//! The way of finished spans from many requests to one worker.

use std::sync::atomic::{AtomicBool, Ordering, fence};

use crossbeam_queue::SegQueue;
use sentrace_core::FinishedSpan;
use sentrace_protocol::Reason;

use crate::room::{Room, Taken};

/// Bounded by the bytes of all spans that wait, in here and in buckets. A push takes no lock and waits for nothing.
#[derive(Debug)]
pub(crate) struct SpanQueue {
    spans: SegQueue<FinishedSpan>,
    room: Room,
    ended: AtomicBool,
}

impl SpanQueue {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { spans: SegQueue::new(), room: Room::new(max_bytes), ended: AtomicBool::new(false) }
    }

    /// Takes a span over, or counts it where nobody comes for it, or where there is no room: then `None` is returned.
    pub(crate) fn push(&self, span: FinishedSpan) -> Option<Taken> {
        let Some(taken) = self.room.take(span.size()) else {
            span.lost(Reason::QueueOverflow);
            return None;
        };
        self.spans.push(span);
        // Pairs with the fences in `end` and in the worker's sleep: either they see what was pushed, or whoever pushed
        // sees what they set.
        fence(Ordering::SeqCst);
        if self.ended.load(Ordering::Relaxed) {
            self.lose_all(Reason::QueueOverflow);
        }
        Some(taken)
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
        self.room.give_back(bytes);
    }

    /// How many bytes all spans take that wait, in here and in buckets.
    pub(crate) fn bytes(&self) -> usize {
        self.room.taken()
    }

    /// Whether so much waits that it had better not wait for more.
    pub(crate) fn is_filling(&self) -> bool {
        self.room.is_filling()
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
