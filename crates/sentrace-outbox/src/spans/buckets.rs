//! Streamed spans that wait for others of their trace.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sentrace_core::deliver::FinishedSpan;
use sentrace_protocol::{Reason, TraceId, span_v2};

use super::{SpanBatch, SpanQueue};
use crate::deadline::deadline;

/// A bucket of this size in memory is sent.
const MAX_BYTES: usize = 1024 * 1024;

/// Streamed spans, one bucket per trace.
///
/// A bucket becomes a [`SpanBatch`] when its transaction ends, when it is full, when its first span has waited for the
/// flush interval, and on [`flush`](Self::flush).
#[derive(Debug)]
pub struct SpanBuckets {
    queue: Arc<SpanQueue>,
    interval: Duration,
    buckets: HashMap<TraceId, Bucket>,
    /// When each bucket is due, in this order. Entries of buckets that left early are skipped.
    due: VecDeque<(Instant, TraceId)>,
    ready: VecDeque<SpanBatch>,
}

#[derive(Debug)]
struct Bucket {
    batch: SpanBatch,
    due: Instant,
}

impl SpanBuckets {
    pub(crate) fn new(queue: Arc<SpanQueue>, interval: Duration) -> Self {
        Self { queue, interval, buckets: HashMap::new(), due: VecDeque::new(), ready: VecDeque::new() }
    }

    /// Moves queued spans into buckets, and makes batches of the buckets that are due. Returns `true` if any span was
    /// queued.
    pub fn collect(&mut self, now: Instant) -> bool {
        // Spans that are pushed meanwhile are left for the next call: producers must not keep the consumer here.
        let queued = self.queue.len();
        for _ in 0..queued {
            let Some(span) = self.queue.pop() else { break };
            self.add(span, now);
        }
        while let Some((_, trace_id)) = self.next_due().filter(|(due, _)| *due <= now) {
            self.make_ready(trace_id);
        }
        queued > 0
    }

    /// Makes batches of all spans so far. Returns the number of batches that are ready.
    pub fn flush(&mut self, now: Instant) -> usize {
        self.collect(now);
        self.ready.extend(self.buckets.drain().map(|(_, bucket)| bucket.batch));
        self.due.clear();
        self.ready.len()
    }

    /// Removes the next batch, and releases its bytes.
    pub fn pop(&mut self) -> Option<SpanBatch> {
        let batch = self.ready.pop_front()?;
        self.queue.release(batch.bytes());
        Some(batch)
    }

    /// Returns `true` if a batch is ready.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Returns `true` if no span waits, queued ones included.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.buckets.is_empty() && self.queue.is_empty()
    }

    /// Returns the time until the next bucket is due, or [`Duration::MAX`] if there is none.
    pub fn due_in(&self, now: Instant) -> Duration {
        self.due.front().map_or(Duration::MAX, |(due, _)| due.saturating_duration_since(now))
    }

    /// Counts all waiting spans as lost, and all that are pushed from now on.
    pub fn end(&mut self, reason: Reason) {
        self.flush(Instant::now());
        while let Some(batch) = self.pop() {
            batch.discard(reason);
        }
        self.queue.end(reason);
    }

    fn add(&mut self, span: FinishedSpan, now: Instant) {
        let trace_id = span.trace_id();
        let last = span.is_segment();
        let bucket = self.buckets.entry(trace_id).or_insert_with(|| {
            let due = deadline(now, self.interval);
            self.due.push_back((due, trace_id));
            Bucket { batch: SpanBatch::default(), due }
        });
        bucket.batch.push(span);
        if last || bucket.batch.len() >= span_v2::MAX_ITEMS || bucket.batch.bytes() >= MAX_BYTES {
            self.make_ready(trace_id);
        }
    }

    fn make_ready(&mut self, trace_id: TraceId) {
        self.ready.extend(self.buckets.remove(&trace_id).map(|bucket| bucket.batch));
    }

    fn next_due(&mut self) -> Option<(Instant, TraceId)> {
        while let Some((due, trace_id)) = self.due.front().copied() {
            if self.buckets.get(&trace_id).is_some_and(|bucket| bucket.due == due) {
                return Some((due, trace_id));
            }
            self.due.pop_front();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use sentrace_core::deliver::{Deliver, DeliverSpans, FinishedTransaction};
    use sentrace_core::{Client, Options, TraceLifecycle};
    use sentrace_protocol::Category;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    #[derive(Debug)]
    struct Into(Arc<SpanQueue>, Mutex<u64>);

    impl Deliver for Into {
        fn deliver(&self, _finished: FinishedTransaction) {
            unreachable!("spans are streamed");
        }

        fn spans(&self) -> Option<&dyn DeliverSpans> {
            Some(self)
        }

        fn flush(&self, _timeout: Duration) -> bool {
            true
        }
    }

    impl DeliverSpans for Into {
        fn deliver_span(&self, span: FinishedSpan) {
            *self.1.lock().unwrap() += u64::from(self.0.push(span).is_some());
        }
    }

    /// A client whose spans go into buckets without any worker.
    fn buckets(max_bytes: usize) -> (Client, SpanBuckets) {
        let queue = Arc::new(SpanQueue::new(max_bytes));
        let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream);
        let deliver = Arc::new(Into(Arc::clone(&queue), Mutex::default()));
        let client = Client::new(options, deliver, Arc::default()).unwrap();
        (client, SpanBuckets::new(queue, INTERVAL))
    }

    fn lost(client: &Client) -> Vec<(Reason, Category, u64)> {
        let losses = client.losses().take().into_iter();
        losses.map(|lost| (lost.reason, lost.category, lost.quantity)).collect()
    }

    #[test]
    fn a_bucket_leaves_when_its_first_span_has_waited_long_enough() {
        let (client, mut buckets) = buckets(1 << 20);
        let start = Instant::now();
        let [early, late] = ["early", "late"].map(|name| client.start_transaction(name, "task"));
        assert_eq!(buckets.due_in(start), Duration::MAX, "nothing waits");
        early.start_span("task", "a").finish();
        assert!(buckets.collect(start));
        early.start_span("task", "b").finish();
        late.start_span("task", "c").finish();
        assert!(buckets.collect(start + INTERVAL / 2));
        assert_eq!(buckets.due_in(start + INTERVAL / 2), INTERVAL / 2, "by the first span");
        assert!(buckets.pop().is_none());
        assert!(!buckets.collect(start + INTERVAL), "nothing came");
        assert_eq!(buckets.pop().map(|batch| batch.len()), Some(2), "with those that came since");
        assert!(buckets.pop().is_none(), "the other has time");
        assert_eq!(buckets.due_in(start + INTERVAL), INTERVAL / 2);
        buckets.collect(start + INTERVAL * 2);
        assert_eq!(buckets.pop().map(|batch| batch.len()), Some(1));
        assert!(buckets.is_empty());
        assert_eq!(lost(&client), [(Reason::InternalSdkError, Category::Span, 3)], "dropped in here");
    }

    #[test]
    fn a_bucket_leaves_early_when_its_transaction_ends_or_it_is_full() {
        let (client, mut buckets) = buckets(64 << 20);
        let now = Instant::now();
        let transaction = client.start_transaction("work", "task");
        for _ in 0..span_v2::MAX_ITEMS + 1 {
            transaction.start_span("task", "step").finish();
        }
        buckets.collect(now);
        // Records that other tests have left may be large enough to fill it with fewer.
        let first = buckets.pop().unwrap();
        assert!(first.len() == span_v2::MAX_ITEMS || first.bytes() >= MAX_BYTES, "{}", first.len());
        let left = span_v2::MAX_ITEMS + 1 - first.len();
        assert!(buckets.pop().is_none());
        transaction.finish();
        buckets.collect(now);
        assert_eq!(
            buckets.pop().map(|batch| batch.len()),
            Some(left + 1),
            "the last steps and the transaction"
        );
        let transaction = client.start_transaction("large", "task");
        let long = "x".repeat(8 * 1024);
        for _ in 0..200 {
            transaction.start_span("task", &long).finish();
        }
        buckets.collect(now);
        let batch = buckets.pop().unwrap();
        assert!((MAX_BYTES..MAX_BYTES + 32 * 1024).contains(&batch.bytes()), "{} bytes", batch.bytes());
        assert!(buckets.due_in(now) <= INTERVAL);
    }

    #[test]
    fn bytes_count_until_their_batch_leaves() {
        let (client, mut buckets) = buckets(20_000);
        let transaction = client.start_transaction("work", "task");
        let fill = || {
            while lost(&client).is_empty() {
                transaction.start_span("task", "step").finish();
            }
        };
        fill();
        let now = Instant::now();
        buckets.collect(now);
        transaction.start_span("task", "still no room").finish();
        assert_eq!(lost(&client), [(Reason::QueueOverflow, Category::Span, 1)]);
        assert_eq!(buckets.flush(now), 1);
        buckets.pop().unwrap().discard(Reason::NetworkError);
        let [(Reason::NetworkError, Category::Span, first)] = lost(&client)[..] else { panic!("one loss") };
        fill();
        buckets.flush(now);
        buckets.pop().unwrap().discard(Reason::NetworkError);
        assert_eq!(lost(&client), [(Reason::NetworkError, Category::Span, first)], "all the room is back");
        buckets.end(Reason::NetworkError);
        transaction.finish();
        assert_eq!(lost(&client), [(Reason::QueueOverflow, Category::Span, 1)], "nobody comes for it");
    }
}
