//! What has finished and waits for the worker: bounded, and never in the way of a request.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use sentrace_core::{Finished, Losses};
use sentrace_protocol::Reason;

/// What a small transaction takes; decides how many the queue has room for.
const BYTES_PER_ITEM: usize = 2 * 1024;
const MIN_ITEMS: usize = 64;
const MAX_ITEMS: usize = 64 * 1024;
/// From here on what waits is worth coming for before the nap is over.
const MARK: usize = 1024 * 1024;

/// The way from many requests to one worker. A push takes no lock and waits for nothing, and wakes the worker only where
/// it sleeps for good or much has come together, not where it naps.
pub(super) struct Queue {
    ring: ArrayQueue<Finished>,
    bytes: AtomicUsize,
    max_bytes: usize,
    asleep: AtomicBool,
    closed: AtomicBool,
    ended: AtomicBool,
    worker: OnceLock<Thread>,
    losses: Arc<Losses>,
}

impl Queue {
    pub(super) fn new(max_bytes: usize, losses: Arc<Losses>) -> Self {
        Self {
            ring: ArrayQueue::new((max_bytes / BYTES_PER_ITEM).clamp(MIN_ITEMS, MAX_ITEMS)),
            bytes: AtomicUsize::new(0),
            max_bytes,
            asleep: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            worker: OnceLock::new(),
            losses,
        }
    }

    /// Whom to wake.
    pub(super) fn served_by(&self, worker: Thread) {
        self.worker.get_or_init(|| worker);
        self.wake();
    }

    /// Takes a transaction over, or counts it where there is no room or nobody to come for it.
    pub(super) fn push(&self, finished: Finished) {
        let size = finished.size();
        if self.closed.load(Ordering::Relaxed) {
            return self.lose(&finished, Reason::QueueOverflow);
        }
        let before = self.bytes.fetch_add(size, Ordering::Relaxed);
        let after = before.saturating_add(size);
        let refused = if after > self.max_bytes { Some(finished) } else { self.ring.push(finished).err() };
        if let Some(finished) = refused {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            return self.lose(&finished, Reason::QueueOverflow);
        }
        // Pairs with the fences in `sleep` and `give_up`: either they see what was pushed, or this sees what they set.
        fence(Ordering::SeqCst);
        let mark = MARK.min(self.max_bytes / 4);
        if self.asleep.load(Ordering::Relaxed) || (before <= mark && after > mark) {
            self.wake();
        }
        if self.ended.load(Ordering::Relaxed) {
            self.give_up(Reason::QueueOverflow);
        }
    }

    pub(super) fn pop(&self) -> Option<Finished> {
        let finished = self.ring.pop()?;
        self.bytes.fetch_sub(finished.size(), Ordering::Relaxed);
        Some(finished)
    }

    pub(super) fn wake(&self) {
        if let Some(worker) = self.worker.get() {
            worker.unpark();
        }
    }

    /// On the worker: waits for so long, or until much has come or somebody wakes it.
    pub(super) fn nap(&self, longest: Duration) {
        if self.ring.is_empty() {
            thread::park_timeout(longest);
        }
    }

    /// On the worker: waits until anything comes, somebody wakes it, or so much time is over.
    pub(super) fn sleep(&self, longest: Duration) {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.ring.is_empty() {
            thread::park_timeout(longest);
        }
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// Nothing is taken any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Nobody comes any more: counts what is there, and what is just being pushed. Whether there was something.
    pub(super) fn give_up(&self, reason: Reason) -> bool {
        self.close();
        self.ended.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let mut lost = false;
        while let Some(finished) = self.pop() {
            self.lose(&finished, reason);
            lost = true;
        }
        lost
    }

    pub(super) fn lose(&self, finished: &Finished, reason: Reason) {
        self.losses.record_transaction(reason, finished.child_spans());
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.ring.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
