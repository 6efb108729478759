//! Counters for `stats()`. They are not used for accounting.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use sentrace_core::DeliveryStats;

use crate::ingest::RateLimits;
use sentrace_outbox::Tally;

/// What the worker has done. Only the worker writes, so readers delay it for a moment at most.
#[derive(Debug, Default)]
pub(crate) struct WorkerStats(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    posts: u64,
    settled: u64,
    failed: u64,
    refused: u64,
    bytes: u64,
    delivered: Tally,
    limited: Tally,
    limits: RateLimits,
    responded_at: Option<Instant>,
}

impl WorkerStats {
    /// Records a post that starts.
    pub(crate) fn posted(&self, bytes: usize) {
        let mut counted = self.lock();
        counted.posts += 1;
        counted.bytes = counted.bytes.saturating_add(bytes as u64);
    }

    /// Records a post that ended.
    pub(crate) fn settled(&self) {
        self.lock().settled += 1;
    }

    /// Records a post without a response.
    pub(crate) fn failed(&self) {
        self.lock().failed += 1;
    }

    /// Records a response, and the limits that apply after it.
    pub(crate) fn responded(&self, limits: &RateLimits, now: Instant) {
        let mut counted = self.lock();
        counted.responded_at = Some(now);
        if counted.limits != *limits {
            counted.limits = limits.clone();
        }
    }

    /// Records what arrived.
    pub(crate) fn delivered(&self, tally: Tally) {
        let mut counted = self.lock();
        counted.delivered = counted.delivered.plus(tally);
    }

    /// Records what the ingest refused with 429.
    pub(crate) fn limited(&self, tally: Tally) {
        let mut counted = self.lock();
        counted.limited = counted.limited.plus(tally);
    }

    /// Records a post that was refused with another status.
    pub(crate) fn refused(&self) {
        self.lock().refused += 1;
    }

    /// Fills in what is counted here.
    pub(crate) fn fill(&self, stats: &mut DeliveryStats, now: Instant) {
        let counted = self.lock();
        stats.posts = counted.posts;
        stats.posts_in_flight = counted.posts - counted.settled;
        stats.posts_failed = counted.failed;
        stats.posts_rejected = counted.refused;
        stats.posted_bytes = counted.bytes;
        stats.delivered_transactions = counted.delivered.transactions;
        stats.delivered_spans = counted.delivered.spans;
        stats.limited_transactions = counted.limited.transactions;
        stats.limited_spans = counted.limited.spans;
        stats.rate_limits = counted.limits.active(now).collect();
        stats.since_response = counted.responded_at.map(|at| now.saturating_duration_since(at));
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
