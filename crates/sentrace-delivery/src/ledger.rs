//! What the worker tells of itself: for `stats()`, not for accounting.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use sentrace_core::DeliveryStats;

use crate::limits::RateLimits;
use sentrace_outbox::Tally;

/// Counts of the worker, which is the only one that writes: nobody who asks keeps it waiting for long.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Counted>);

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
    answered_at: Option<Instant>,
}

impl Ledger {
    /// A post of so many bytes begins.
    pub(crate) fn posted(&self, bytes: usize) {
        let mut counted = self.lock();
        counted.posts += 1;
        counted.bytes = counted.bytes.saturating_add(bytes as u64);
    }

    /// It is through, however.
    pub(crate) fn settled(&self) {
        self.lock().settled += 1;
    }

    /// Nothing was answered.
    pub(crate) fn failed(&self) {
        self.lock().failed += 1;
    }

    /// Something was answered, after which these limits hold.
    pub(crate) fn answered(&self, limits: &RateLimits, now: Instant) {
        let mut counted = self.lock();
        counted.answered_at = Some(now);
        if counted.limits != *limits {
            counted.limits = limits.clone();
        }
    }

    pub(crate) fn delivered(&self, tally: Tally) {
        let mut counted = self.lock();
        counted.delivered = counted.delivered.plus(tally);
    }

    pub(crate) fn limited(&self, tally: Tally) {
        let mut counted = self.lock();
        counted.limited = counted.limited.plus(tally);
    }

    pub(crate) fn refused(&self) {
        self.lock().refused += 1;
    }

    /// Writes what is counted in here.
    pub(crate) fn tell(&self, stats: &mut DeliveryStats, now: Instant) {
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
        stats.since_response = counted.answered_at.map(|at| now.saturating_duration_since(at));
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
