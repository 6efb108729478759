//! A client's short memory of foreign trace headers that were forwarded or rejected.
//!
//! Two cases need it. A service that records nothing propagates its caller's ids (ADR 8), so if a
//! request is kept, its ids do not show that this process added them. And a task that was spawned
//! without a context serves no request whose trace could be consulted. The memory has a fixed size:
//! newer values replace older ones, and what is forgotten counts as set by the application (ADR
//! 28).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A power of two. The 8 KiB are allocated when there is something to remember.
const SLOTS: usize = 1024;

/// Hashes of values, as [`received::hash`](crate::propagation::received::hash) computes them.
#[derive(Debug, Default)]
pub(crate) struct RecentHeaders(OnceLock<Box<[AtomicU64]>>);

impl RecentHeaders {
    pub(crate) fn remember(&self, hash: u64) {
        let slots = self.0.get_or_init(|| std::iter::repeat_with(AtomicU64::default).take(SLOTS).collect());
        // A write that changes nothing would take the cache line from other threads.
        if let Some(slot) = slots.get(slot_of(hash))
            && slot.load(Ordering::Relaxed) != hash
        {
            slot.store(hash, Ordering::Relaxed);
        }
    }

    #[cfg(feature = "http")]
    pub(crate) fn contains(&self, hash: u64) -> bool {
        let slot = self.0.get().and_then(|slots| slots.get(slot_of(hash)));
        slot.is_some_and(|slot| slot.load(Ordering::Relaxed) == hash)
    }
}

fn slot_of(hash: u64) -> usize {
    // The high bits of the hash are its best ones.
    (hash >> 40) as usize % SLOTS
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_newer_takes_the_place_of_what_is_older() {
        let recent = RecentHeaders::default();
        assert!(!recent.contains(7), "nothing is allocated for nothing");
        let same_slot = 7 | 1 << 63;
        recent.remember(7);
        assert!(recent.contains(7) && !recent.contains(same_slot));
        recent.remember(same_slot);
        assert!(!recent.contains(7) && recent.contains(same_slot));
    }
}
