//! The bounded queue that requests push into.

use std::fmt;
use std::sync::Arc;

use sentrace_core::deliver::{FinishedSpan, FinishedTransaction, Losses};
use sentrace_protocol::Reason;

use crate::budget::{ByteBudget, Reserved};
use crate::spans::SpanQueue;
use crate::sync::{ArrayQueue, AtomicBool, Ordering, fence};
use crate::tally::Tally;

/// The size of a small transaction, which determines how many the queue has slots for.
const BYTES_PER_ITEM: usize = 2 * 1024;
const MIN_ITEMS: usize = 64;
const MAX_ITEMS: usize = 64 * 1024;

/// A bounded queue from many requests to one consumer.
///
/// Pushing takes no lock and never waits. It wakes the consumer only if that is [asleep](Self::fall_asleep) or if the
/// queue begins to fill, so a consumer that polls now and then costs requests no system call.
pub struct Queue {
    transactions: ArrayQueue<FinishedTransaction>,
    spans: Arc<SpanQueue>,
    budget: ByteBudget,
    /// Whether something was refused for lack of space since [`take_overflowed`](Self::take_overflowed).
    overflowed: AtomicBool,
    asleep: AtomicBool,
    closed: AtomicBool,
    ended: AtomicBool,
    wake: Box<dyn Fn() + Send + Sync>,
    losses: Arc<Losses>,
}

impl Queue {
    pub(crate) fn new(max_bytes: usize, losses: Arc<Losses>, wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self {
            transactions: ArrayQueue::new((max_bytes / BYTES_PER_ITEM).clamp(MIN_ITEMS, MAX_ITEMS)),
            spans: Arc::new(SpanQueue::new(max_bytes)),
            budget: ByteBudget::new(max_bytes),
            overflowed: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            wake,
            losses,
        }
    }

    /// Takes ownership of a transaction, or counts it as `queue_overflow` if there is no space or the queue is closed.
    pub(crate) fn push(&self, finished: FinishedTransaction) {
        if self.closed.load(Ordering::Relaxed) {
            return self.refuse(&finished);
        }
        let size = finished.size();
        let Some(reserved) = self.budget.reserve(size) else {
            self.overflowed.store(true, Ordering::Relaxed);
            return self.refuse(&finished);
        };
        if let Err(finished) = self.transactions.push(finished) {
            self.budget.release(size);
            self.overflowed.store(true, Ordering::Relaxed);
            return self.refuse(&finished);
        }
        // Pairs with the fences in `fall_asleep` and `end`: either they see what was pushed, or this sees what they set.
        fence(Ordering::SeqCst);
        self.wake_consumer(reserved);
        if self.ended.load(Ordering::Relaxed) {
            self.discard_all(Reason::QueueOverflow);
        }
    }

    /// Like [`push`](Self::push) for a streamed span. Spans have a budget of their own, of the same size.
    pub(crate) fn push_span(&self, span: FinishedSpan) {
        if self.closed.load(Ordering::Relaxed) {
            return span.discard(Reason::QueueOverflow);
        }
        match self.spans.push(span) {
            Some(reserved) => self.wake_consumer(reserved),
            None => self.overflowed.store(true, Ordering::Relaxed),
        }
    }

    /// Counts a transaction that the queue does not take.
    pub(crate) fn refuse(&self, finished: &FinishedTransaction) {
        self.losses.record_transaction(Reason::QueueOverflow, finished.child_spans());
    }

    pub(crate) fn spans(&self) -> &Arc<SpanQueue> {
        &self.spans
    }

    /// Removes the oldest transaction.
    pub fn pop(&self) -> Option<FinishedTransaction> {
        let finished = self.transactions.pop()?;
        self.budget.release(finished.size());
        Some(finished)
    }

    /// Returns the number of queued transactions.
    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    /// Returns `true` if no transaction is queued.
    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    /// Returns the bytes that queued transactions and spans occupy, spans in [buckets](crate::SpanBuckets) included.
    pub fn bytes(&self) -> usize {
        self.budget.reserved() + self.spans.bytes()
    }

    /// Returns `true` if so much is queued that the consumer should not wait for more.
    pub fn is_filling(&self) -> bool {
        self.budget.is_above_mark() || self.spans.is_filling()
    }

    /// Returns `true` if something was refused for lack of space since the last call.
    pub fn take_overflowed(&self) -> bool {
        self.overflowed.swap(false, Ordering::Relaxed)
    }

    /// Announces that the consumer is about to wait until it is woken. Returns `None` if something is queued already.
    ///
    /// While the guard lives, the next push wakes the consumer. Without it, the consumer is only woken when the queue
    /// begins to fill and by [`wake`](Self::wake).
    pub fn fall_asleep(&self) -> Option<Asleep<'_>> {
        let asleep = Asleep(&self.asleep);
        self.asleep.store(true, Ordering::Relaxed);
        // Pairs with the fences in `push`.
        fence(Ordering::SeqCst);
        (self.transactions.is_empty() && self.spans.is_empty()).then_some(asleep)
    }

    /// Wakes the consumer, whether or not it is asleep.
    pub fn wake(&self) {
        (self.wake)();
    }

    /// Refuses whatever is pushed from now on. What is queued can still be taken.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Marks that no consumer takes from the queue any more. The caller removes what is left. A push that runs at the same
    /// time does so as well.
    pub fn end(&self) {
        self.close();
        self.ended.store(true, Ordering::Relaxed);
        // Pairs with the fence in `push`.
        fence(Ordering::SeqCst);
    }

    /// Removes all transactions and counts them as lost. Returns `true` if there were any.
    pub fn discard_all(&self, reason: Reason) -> bool {
        let mut any = false;
        while let Some(finished) = self.pop() {
            Tally::of(&finished).discard(reason, &self.losses);
            any = true;
        }
        any
    }

    /// Only the first of several pushes wakes a sleeping consumer: it takes what the others push, too.
    fn wake_consumer(&self, reserved: Reserved) {
        let take_flag = || self.asleep.compare_exchange(true, false, Ordering::Relaxed, Ordering::Relaxed);
        let was_asleep = self.asleep.load(Ordering::Relaxed) && take_flag().is_ok();
        if was_asleep || reserved == Reserved::CrossedMark {
            self.wake();
        }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

/// A consumer that waits to be woken; see [`Queue::fall_asleep`].
#[derive(Debug)]
#[must_use = "dropping it ends the sleep"]
pub struct Asleep<'a>(&'a AtomicBool);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::support::{Lost, finished, lost};

    fn queue(max_bytes: usize) -> (Queue, Arc<Losses>, Arc<AtomicUsize>) {
        let (losses, wakes) = (Arc::<Losses>::default(), Arc::<AtomicUsize>::default());
        let count = Arc::clone(&wakes);
        let wake = Box::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        (Queue::new(max_bytes, Arc::clone(&losses), wake), losses, wakes)
    }

    #[test]
    fn bytes_that_left_make_room_again() {
        let mut finished = finished(6);
        let size = finished[0].size();
        let max_bytes = size * 3 + size / 2;
        let (queue, losses, _) = queue(max_bytes);
        for finished in finished.drain(..5) {
            queue.push(finished);
        }
        assert_eq!((queue.len(), lost(&losses)), (3, Lost::of(2, 1)), "the newest are refused");
        assert!(queue.take_overflowed() && !queue.take_overflowed());
        assert!(queue.pop().is_some());
        queue.push(finished.remove(0));
        assert_eq!((queue.len(), lost(&losses)), (3, Lost::of(2, 1)));
        while queue.pop().is_some() {}
        assert!(queue.budget.reserve(max_bytes).is_some(), "all of it");
    }

    #[test]
    fn what_is_pushed_after_the_end_is_counted() {
        let (queue, losses, _) = queue(1024 * 1024);
        let mut finished = finished(3);
        queue.push(finished.remove(0));
        // As for a push that read `closed` just before it was set.
        queue.ended.store(true, Ordering::Relaxed);
        queue.push(finished.remove(0));
        assert_eq!((queue.len(), lost(&losses)), (0, Lost::of(2, 1)));
        queue.end();
        queue.push(finished.remove(0));
        assert_eq!((queue.len(), lost(&losses)), (0, Lost::of(3, 1)));
    }

    #[test]
    fn a_push_wakes_a_sleeping_consumer_once_and_one_that_polls_not_at_all() {
        let (queue, _, wakes) = queue(1024 * 1024);
        let wakes = || wakes.load(Ordering::SeqCst);
        let mut finished = finished(12);
        queue.push(finished.remove(0));
        assert!(queue.fall_asleep().is_none(), "there is something already");
        assert!(!queue.asleep.load(Ordering::SeqCst) && wakes() == 0);
        queue.pop();

        let asleep = queue.fall_asleep().unwrap();
        for finished in finished.drain(..10) {
            queue.push(finished);
        }
        assert_eq!(wakes(), 1, "it comes for all ten");
        drop(asleep);
        while queue.pop().is_some() {}

        queue.push(finished.remove(0));
        assert_eq!(wakes(), 1, "it polls");
        queue.wake();
        assert_eq!(wakes(), 2);
    }

    #[test]
    fn a_queue_that_begins_to_fill_wakes_a_consumer_that_polls() {
        let finished = finished(4);
        let (queue, _, wakes) = queue(finished[0].size() * 8);
        for (number, finished) in finished.into_iter().enumerate() {
            queue.push(finished);
            let expected = (usize::from(number >= 2), number >= 2);
            assert_eq!((wakes.load(Ordering::SeqCst), queue.is_filling()), expected, "at {number}");
        }
    }

    #[test]
    fn a_sleep_that_was_given_up_is_over() {
        let (queue, _, wakes) = queue(1024 * 1024);
        drop(queue.fall_asleep().unwrap());
        finished(1).into_iter().for_each(|finished| queue.push(finished));
        assert_eq!(wakes.load(Ordering::SeqCst), 0);
    }
}
