//! Buckets that others can empty if the worker does not come back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sentrace_protocol::Reason;

use super::{Buckets, SpanQueue};

/// The worker's buckets. It holds the lock only while it moves spans, never while it builds or sends something.
#[derive(Debug, Clone)]
pub(crate) struct SharedBuckets(Arc<Mutex<Buckets>>);

impl SharedBuckets {
    pub(crate) fn new(queue: Arc<SpanQueue>, interval: Duration) -> Self {
        Self(Arc::new(Mutex::new(Buckets::new(queue, interval))))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what is in there and what comes from now on as lost.
    pub(crate) fn give_up(&self, reason: Reason) {
        let mut buckets = self.lock();
        buckets.flush(Instant::now());
        while let Some(batch) = buckets.pop() {
            batch.lost(reason);
        }
        buckets.end(reason);
    }
}
