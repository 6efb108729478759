//! Where finished spans wait for others of their trace.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sentrace_core::FinishedSpan;
use sentrace_protocol::{Reason, TraceId, span_v2};

use super::{Batch, SpanQueue};
use crate::time;

/// A bucket with as many bytes in memory leaves.
const MAX_BYTES: usize = 1024 * 1024;
/// A bucket for each trace with spans that wait. It leaves as a batch when its transaction ends, when it is full, when
/// its first span has waited long enough, and when somebody flushes.
#[derive(Debug)]
pub(crate) struct Buckets {
    queue: Arc<SpanQueue>,
    interval: Duration,
    buckets: HashMap<TraceId, Bucket>,
    /// When each bucket has to leave, in this order; those that left already are passed over.
    due: VecDeque<(Instant, TraceId)>,
    ready: VecDeque<Batch>,
}

#[derive(Debug)]
struct Bucket {
    batch: Batch,
    due: Instant,
}

impl Buckets {
    pub(crate) fn new(queue: Arc<SpanQueue>, interval: Duration) -> Self {
        Self { queue, interval, buckets: HashMap::new(), due: VecDeque::new(), ready: VecDeque::new() }
    }

    /// Takes what has come into buckets and makes ready what has to leave; whether anything came.
    pub(crate) fn collect(&mut self, now: Instant) -> bool {
        // What comes meanwhile is for the next time: whoever pushes must not keep the worker here.
        let came = self.queue.len();
        for _ in 0..came {
            let Some(span) = self.queue.pop() else { break };
            self.add(span, now);
        }
        while let Some((_, trace_id)) = self.next_due().filter(|(due, _)| *due <= now) {
            self.make_ready(trace_id);
        }
        came > 0
    }

    /// Makes everything ready that has come so far; how many batches are ready then.
    pub(crate) fn flush(&mut self, now: Instant) -> usize {
        self.collect(now);
        self.ready.extend(self.buckets.drain().map(|(_, bucket)| bucket.batch));
        self.due.clear();
        self.ready.len()
    }

    /// The next batch; it has left.
    pub(crate) fn pop(&mut self) -> Option<Batch> {
        let batch = self.ready.pop_front()?;
        self.queue.release(batch.bytes());
        Some(batch)
    }

    /// Whether a batch is ready.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether nothing waits, in here or on the way.
    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.buckets.is_empty() && self.queue.is_empty()
    }

    /// How long until a bucket has to leave; no time comes where there is none.
    pub(crate) fn due_in(&self, now: Instant) -> Duration {
        self.due.front().map_or(Duration::MAX, |(due, _)| due.saturating_duration_since(now))
    }

    /// Counts what comes from now on.
    pub(crate) fn end(&self, reason: Reason) {
        self.queue.end(reason);
    }

    fn add(&mut self, span: FinishedSpan, now: Instant) {
        let trace_id = span.trace_id();
        let last = span.is_segment();
        let bucket = self.buckets.entry(trace_id).or_insert_with(|| {
            let due = time::after(now, self.interval);
            self.due.push_back((due, trace_id));
            Bucket { batch: Batch::default(), due }
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

    use sentrace_core::{Client, Deliver, DeliverSpans, Finished, Options, TraceLifecycle};
    use sentrace_protocol::Category;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    #[derive(Debug)]
    struct Into(Arc<SpanQueue>, Mutex<u64>);

    impl Deliver for Into {
        fn deliver(&self, _finished: Finished) {
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
    fn buckets(max_bytes: usize) -> (Client, Buckets) {
        let queue = Arc::new(SpanQueue::new(max_bytes));
        let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream);
        let deliver = Arc::new(Into(Arc::clone(&queue), Mutex::default()));
        let client = Client::new(options, deliver, Arc::default()).unwrap();
        (client, Buckets::new(queue, INTERVAL))
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
        buckets.pop().unwrap().lost(Reason::NetworkError);
        let [(Reason::NetworkError, Category::Span, first)] = lost(&client)[..] else { panic!("one loss") };
        fill();
        buckets.flush(now);
        buckets.pop().unwrap().lost(Reason::NetworkError);
        assert_eq!(lost(&client), [(Reason::NetworkError, Category::Span, first)], "all the room is back");
        buckets.end(Reason::NetworkError);
        transaction.finish();
        assert_eq!(lost(&client), [(Reason::QueueOverflow, Category::Span, 1)], "nobody comes for it");
    }
}
