//! What has finished and waits for the worker: bounded, and never in the way of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

use crossbeam_queue::ArrayQueue;
use sentrace_core::{Finished, FinishedSpan, Losses};
use sentrace_protocol::Reason;
use tokio::sync::Notify;

use crate::room::{Room, Taken};
use crate::spans::SpanQueue;

/// What a small transaction takes; decides how many the queue has room for.
const BYTES_PER_ITEM: usize = 2 * 1024;
const MIN_ITEMS: usize = 64;
const MAX_ITEMS: usize = 64 * 1024;

/// The way from many requests to one worker. A push takes no lock and waits for nothing, and makes a system call
/// only where the worker sleeps for good or the queue begins to fill, not where the worker is awake or naps.
#[derive(Debug)]
pub(crate) struct Queue {
    ring: ArrayQueue<Finished>,
    spans: Arc<SpanQueue>,
    room: Room,
    /// Whether something was refused for want of room since somebody asked.
    overflowed: AtomicBool,
    asleep: AtomicBool,
    wake: Notify,
    closed: AtomicBool,
    ended: AtomicBool,
    losses: Arc<Losses>,
}

impl Queue {
    pub(crate) fn new(max_bytes: usize, losses: Arc<Losses>) -> Self {
        Self {
            ring: ArrayQueue::new((max_bytes / BYTES_PER_ITEM).clamp(MIN_ITEMS, MAX_ITEMS)),
            spans: Arc::new(SpanQueue::new(max_bytes)),
            room: Room::new(max_bytes),
            overflowed: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            wake: Notify::new(),
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            losses,
        }
    }

    /// Takes a transaction over, or counts it where there is no room or nobody to come for it.
    pub(crate) fn push(&self, finished: Finished) {
        if self.closed.load(Ordering::Relaxed) {
            return self.refuse(&finished);
        }
        let size = finished.size();
        let Some(taken) = self.room.take(size) else {
            self.overflowed.store(true, Ordering::Relaxed);
            return self.refuse(&finished);
        };
        if let Err(finished) = self.ring.push(finished) {
            self.room.give_back(size);
            self.overflowed.store(true, Ordering::Relaxed);
            return self.refuse(&finished);
        }
        // Pairs with the fences in `sleep` and `end`: either they see what was pushed, or this sees what they set.
        fence(Ordering::SeqCst);
        self.wake_worker(taken);
        if self.ended.load(Ordering::Relaxed) {
            while let Some(finished) = self.pop() {
                self.refuse(&finished);
            }
        }
    }

    /// The same for a span that is sent by itself. Spans have as much room for themselves.
    pub(crate) fn push_span(&self, span: FinishedSpan) {
        if self.closed.load(Ordering::Relaxed) {
            return span.lost(Reason::QueueOverflow);
        }
        match self.spans.push(span) {
            Some(taken) => self.wake_worker(taken),
            None => self.overflowed.store(true, Ordering::Relaxed),
        }
    }

    /// Where the spans are.
    pub(crate) fn spans(&self) -> &Arc<SpanQueue> {
        &self.spans
    }

    pub(crate) fn pop(&self) -> Option<Finished> {
        let finished = self.ring.pop()?;
        self.room.give_back(finished.size());
        Some(finished)
    }

    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    /// How many bytes all takes that waits, spans included.
    pub(crate) fn bytes(&self) -> usize {
        self.room.taken() + self.spans.bytes()
    }

    /// Whether so much waits that it had better not wait for more.
    pub(crate) fn is_filling(&self) -> bool {
        self.room.is_filling() || self.spans.is_filling()
    }

    /// Whether it has had no room since this was asked before.
    pub(crate) fn was_full(&self) -> bool {
        self.overflowed.swap(false, Ordering::Relaxed)
    }

    /// Waits until something is pushed or [`wake`](Self::wake) is called; may return early.
    pub(crate) async fn sleep(&self) {
        let _awake = WakeOnDrop(&self.asleep);
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.ring.is_empty() && self.spans.is_empty() {
            self.wake.notified().await;
        }
    }

    /// Waits until [`wake`](Self::wake) is called, whatever is pushed meanwhile; may return early.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Makes the worker look, even out of a nap.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Refuses what comes from now on; what is queued still goes out.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Says that nobody comes any more. The caller pops what is left; who pushes at this moment does so as well.
    pub(crate) fn end(&self) {
        self.close();
        self.ended.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    fn wake_worker(&self, taken: Taken) {
        let sleeps = self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed);
        if sleeps || taken == Taken::Mark {
            self.wake.notify_one();
        }
    }

    /// Counts what cannot be taken over.
    pub(crate) fn refuse(&self, finished: &Finished) {
        self.losses.record_transaction(Reason::QueueOverflow, finished.child_spans());
    }
}

/// Also where the sleep is given up for something else.
struct WakeOnDrop<'a>(&'a AtomicBool);

impl Drop for WakeOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use sentrace_core::{Client, Deliver, Options};
    use tokio::runtime::{Builder, Runtime};
    use tokio::time::timeout;

    use super::*;
    use crate::support::{LONG, Tally, counted, record};

    #[derive(Debug, Default)]
    struct Keep(Mutex<Vec<Finished>>);

    impl Deliver for Keep {
        fn deliver(&self, finished: Finished) {
            self.0.lock().unwrap().push(finished);
        }

        fn flush(&self, _timeout: Duration) -> bool {
            true
        }
    }

    /// So many finished transactions, with a span each, all of the same size.
    fn finished(count: usize) -> Vec<Finished> {
        /// More than the process keeps for reuse, in whatever size other tests have left them.
        const USED: usize = 300;
        let keep = Arc::new(Keep::default());
        let options = Options::new().traces_sample_rate(1.0);
        let deliver: Arc<dyn Deliver> = Arc::<Keep>::clone(&keep);
        let client = Client::new(options, deliver, Arc::default()).unwrap();
        for _ in 0..USED + count {
            record(&client, "task", 1);
        }
        keep.0.lock().unwrap().split_off(USED)
    }

    fn queue(max_bytes: usize) -> (Queue, Arc<Losses>) {
        let losses = Arc::new(Losses::default());
        (Queue::new(max_bytes, Arc::clone(&losses)), losses)
    }

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_time().build().unwrap()
    }

    #[test]
    fn bytes_that_left_make_room_again() {
        let mut finished = finished(6);
        let size = finished[0].size();
        let queue_bytes = size * 3 + size / 2;
        let (queue, losses) = queue(queue_bytes);
        for finished in finished.drain(..5) {
            queue.push(finished);
        }
        assert_eq!((queue.len(), counted(&losses)), (3, Tally::of(2, 1)), "the newest are refused");
        assert!(queue.pop().is_some());
        queue.push(finished.remove(0));
        assert_eq!((queue.len(), counted(&losses)), (3, Tally::of(2, 1)));
        while queue.pop().is_some() {}
        assert!(queue.room.take(queue_bytes).is_some(), "all of it");
    }

    #[test]
    fn what_is_pushed_after_the_end_is_counted() {
        let (queue, losses) = queue(1024 * 1024);
        let mut finished = finished(3);
        queue.push(finished.remove(0));
        // As for somebody who looked at `closed` just before it was set.
        queue.ended.store(true, Ordering::Relaxed);
        queue.push(finished.remove(0));
        assert_eq!((queue.len(), counted(&losses)), (0, Tally::of(2, 1)));
        queue.end();
        queue.push(finished.remove(0));
        assert_eq!((queue.len(), counted(&losses)), (0, Tally::of(3, 1)));
    }

    #[test]
    fn a_push_wakes_the_sleeper_but_not_the_napper() {
        let (queue, _) = queue(1024 * 1024);
        let queue = Arc::new(queue);
        let mut finished = finished(3);
        runtime().block_on(async {
            queue.push(finished.remove(0));
            timeout(LONG, queue.sleep()).await.expect("there is something already");
            queue.pop();

            let pusher = std::thread::spawn({
                let (queue, finished) = (Arc::clone(&queue), finished.remove(0));
                move || {
                    while !queue.asleep.load(Ordering::SeqCst) {
                        std::thread::yield_now();
                    }
                    queue.push(finished);
                }
            });
            timeout(LONG, queue.sleep()).await.expect("woken by the push");
            pusher.join().unwrap();

            queue.push(finished.remove(0));
            timeout(Duration::from_millis(20), queue.woken()).await.expect_err("nobody called");
            queue.wake();
            timeout(LONG, queue.woken()).await.expect("somebody called");
        });
    }

    #[test]
    fn a_queue_that_begins_to_fill_ends_a_nap() {
        let finished = finished(4);
        let size = finished[0].size();
        let (queue, _) = queue(size * 8);
        runtime().block_on(async {
            for (number, finished) in finished.into_iter().enumerate() {
                queue.push(finished);
                let woken = timeout(Duration::from_millis(20), queue.woken()).await.is_ok();
                assert_eq!((woken, queue.is_filling()), (number == 2, number >= 2), "at {number}");
            }
        });
    }

    #[test]
    fn a_sleep_that_was_given_up_is_over() {
        let (queue, _) = queue(1024 * 1024);
        runtime().block_on(async {
            timeout(Duration::from_millis(5), queue.sleep()).await.expect_err("nothing came");
        });
        assert!(!queue.asleep.load(Ordering::Relaxed));
    }
}
