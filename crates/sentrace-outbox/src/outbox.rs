//! The handle that requests, callers and the consumer share.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use sentrace_core::deliver::{FinishedSpan, FinishedTransaction, Losses};
use sentrace_core::{DeliveryStats, diagnostics};
use sentrace_protocol::Reason;

use crate::account::Account;
use crate::deadline::deadline;
use crate::process::Process;
use crate::queue::Queue;
use crate::requests::{End, Requests};
use crate::spans::SpanBuckets;
use crate::sync::{Mutex, MutexGuard};

/// The most that is reserved of a close timeout for the consumer to count what it discards, so that it is counted when
/// [`close`](Outbox::close) returns.
const COUNTING: Duration = Duration::from_millis(100);

/// How late a consumer may be on a busy machine before it is given up.
const LATE: Duration = Duration::from_millis(500);

/// Everything between many producers and one consumer.
///
/// Producers call [`deliver`](Self::deliver) and [`deliver_span`](Self::deliver_span). The consumer runs on a thread of
/// its own, which holds a [`Consumer`]. Everything that producers hand over is settled by the consumer or counted as
/// lost, whatever happens to the consumer.
///
/// In a forked child, which has no consumer, everything is refused and counted, and nothing waits.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::mpsc::sync_channel;
/// use std::time::Duration;
/// use sentrace_core::deliver::Losses;
/// use sentrace_outbox::{Consumer, End, Outbox};
///
/// let (wake, woken) = sync_channel(1);
/// let outbox = Outbox::new(1 << 20, Duration::from_secs(5), Arc::new(Losses::default()), move || {
///     let _ = wake.try_send(());
/// });
/// let outbox = Arc::new(outbox);
/// let consumer = Consumer::new(Arc::clone(&outbox));
/// std::thread::spawn(move || {
///     let outbox = consumer.start();
///     while outbox.requests().close_deadline().is_none() {
///         while let Some(finished) = outbox.queue().pop() {
///             drop(finished); // send it
///         }
///         if let Some(_asleep) = outbox.queue().fall_asleep() {
///             let _ = woken.recv();
///         }
///     }
///     outbox.requests().end(End::Complete);
/// });
/// assert!(outbox.close(Duration::from_secs(5)));
/// ```
pub struct Outbox {
    queue: Queue,
    buckets: Mutex<SpanBuckets>,
    account: Arc<Account>,
    requests: Requests,
    process: Process,
    consumer: OnceLock<ThreadId>,
}

impl Outbox {
    /// Creates an outbox for `max_bytes` of transactions and as many of streamed spans, which wait up to `span_interval`
    /// for others of their trace. `wake` must end the consumer's wait, and must not block.
    pub fn new(
        max_bytes: usize,
        span_interval: Duration,
        losses: Arc<Losses>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let queue = Queue::new(max_bytes, Arc::clone(&losses), Box::new(wake));
        let buckets = Mutex::new(SpanBuckets::new(Arc::clone(queue.spans()), span_interval));
        Self {
            queue,
            buckets,
            account: Account::new(losses),
            requests: Requests::default(),
            process: Process::current(),
            consumer: OnceLock::new(),
        }
    }

    /// Takes ownership of a transaction, or counts it as `queue_overflow` if there is no space or no consumer.
    pub fn deliver(&self, finished: FinishedTransaction) {
        if self.process.is_forked() {
            return self.queue.refuse(&finished);
        }
        self.queue.push(finished);
    }

    /// Like [`deliver`](Self::deliver) for a streamed span.
    pub fn deliver_span(&self, span: FinishedSpan) {
        if self.process.is_forked() {
            return span.discard(Reason::QueueOverflow);
        }
        self.queue.push_span(span);
    }

    /// Waits until the consumer has completed a flush. Returns `false` on timeout, if the flush did not succeed, on the
    /// consumer's own thread and in a forked child. After the end, returns `true`: nothing is left to wait for.
    pub fn flush(&self, timeout: Duration) -> bool {
        !self.process.is_forked()
            && !self.is_consumer_thread()
            && self.requests.flush(timeout, || self.queue.wake())
    }

    /// Refuses whatever comes from now on, and waits until the consumer has ended. If it does not end in time, everything
    /// that it holds is counted as `network_error`, and it is left behind. On a busy machine that may take half a second
    /// longer.
    ///
    /// Returns `true` if nothing was given up. Returns `false` at once on the consumer's own thread and in a forked child.
    pub fn close(&self, timeout: Duration) -> bool {
        self.request_close(timeout.saturating_sub(COUNTING.min(timeout / 8)));
        if self.process.is_forked() || self.is_consumer_thread() {
            return false;
        }
        let end = self.requests.wait_for_end(timeout).or_else(|| {
            // Other threads may keep the processors busy. User code may never return.
            let grace = if self.account.is_in_user_code() { Duration::ZERO } else { LATE };
            self.requests.wait_for_end(grace)
        });
        if end.is_none() {
            self.give_up(Reason::NetworkError);
        }
        end == Some(End::Complete)
    }

    /// Refuses whatever comes from now on, and asks the consumer to end within `timeout`, without waiting. Does nothing in
    /// a forked child: what is open belongs to its parent.
    pub fn request_close(&self, timeout: Duration) {
        if self.process.is_forked() {
            return;
        }
        self.queue.close();
        self.requests.request_close(deadline(Instant::now(), timeout));
        self.queue.wake();
    }

    /// Counts everything that is queued, and everything that the consumer holds, as lost. Callers stop waiting.
    pub fn give_up(&self, reason: Reason) {
        self.queue.end();
        self.queue.discard_all(reason);
        self.span_buckets().end(reason);
        self.account.give_up(reason);
        self.requests.end(End::CutShort);
    }

    /// Returns whether the consumer runs, and how much is queued. Returns `None` in a forked child.
    pub fn stats(&self) -> Option<DeliveryStats> {
        if self.process.is_forked() {
            return None;
        }
        let mut stats = DeliveryStats::default();
        stats.running = self.requests.is_running();
        stats.queued_transactions = self.queue.len() as u64;
        stats.queued_spans = self.queue.spans().len() as u64;
        stats.queued_bytes = self.queue.bytes() as u64;
        Some(stats)
    }

    /// Returns the queue.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Locks the streamed spans. The consumer must not hold the lock while it builds or sends something: without it, they
    /// cannot be given up.
    pub fn span_buckets(&self) -> MutexGuard<'_, SpanBuckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the account of what left the queue.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Returns what callers ask of the consumer.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Hooks run on the consumer's thread, which cannot wait for itself.
    fn is_consumer_thread(&self) -> bool {
        self.consumer.get() == Some(&std::thread::current().id())
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("queue", &self.queue).finish_non_exhaustive()
    }
}

/// The right to consume an [`Outbox`]. Dropping it [gives up](Outbox::give_up) what is left, also while a panic unwinds:
/// then no caller waits in vain, and nothing goes uncounted.
#[derive(Debug)]
pub struct Consumer(Arc<Outbox>);

impl Consumer {
    /// Creates the consumer of `outbox`, to be moved to its thread.
    pub fn new(outbox: Arc<Outbox>) -> Self {
        Self(outbox)
    }

    /// Makes the current thread the consumer's, on which a flush and a close do not wait.
    pub fn start(&self) -> &Arc<Outbox> {
        self.0.consumer.get_or_init(|| std::thread::current().id());
        &self.0
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.0.give_up(Reason::InternalSdkError);
        if std::thread::panicking() {
            diagnostics::warn(format_args!(
                "the thread {:?} panicked: nothing is sent from now on, and everything is counted as lost; restart the \
                 service, and report the panic to the authors of sentrace",
                std::thread::current().name().unwrap_or_default()
            ));
        }
    }
}
