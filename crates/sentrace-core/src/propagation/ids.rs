//! Ids, and span ids that this process recognizes as its own.
//!
//! A header that this process added long ago must be replaced when the request is sent again, and
//! one that the application set must be kept (ADR 28). Nothing is stored for that: the last 24 bits
//! of a span id are computed from the others with a key of the process. The other 40 bits are
//! random, which is enough within a trace.

use std::sync::atomic::{AtomicU64, Ordering};

use sentrace_protocol::{EventId, SpanId, TraceId};

use crate::util::random::{key, number};

/// The number of computed bits. One of sixteen million foreign ids is mistaken for an own one.
const BITS: u32 = 24;

/// Different in each process, so that the spans of other services are foreign.
static KEY: AtomicU64 = AtomicU64::new(0);

/// Returns the id that starts with the high bits of this number.
fn sign(number: u64) -> u64 {
    let random = number & !((1 << BITS) - 1);
    random | signature(random)
}

/// Returns a new trace id, never zero.
pub(crate) fn trace_id() -> TraceId {
    non_zero(TraceId::from_bytes)
}

/// Returns a new span id, never zero, that [`is_own`] recognizes.
#[inline]
pub(crate) fn span_id() -> SpanId {
    SpanId::from_bytes(sign(number()).to_be_bytes()).unwrap_or_else(another_span_id)
}

/// Used instead of zero.
#[cold]
fn another_span_id() -> SpanId {
    span_id()
}

/// Returns a new event id, never zero.
pub(crate) fn event_id() -> EventId {
    non_zero(EventId::from_bytes)
}

fn non_zero<T>(from_bytes: impl Fn([u8; 16]) -> Option<T>) -> T {
    loop {
        let bytes = u128::from(number()) << 64 | u128::from(number());
        if let Some(id) = from_bytes(bytes.to_be_bytes()) {
            return id;
        }
    }
}

/// Returns `true` if this process made the id.
pub(crate) fn is_own(id: SpanId) -> bool {
    let id = u64::from_be_bytes(id.to_bytes());
    sign(id) == id
}

#[inline]
fn known_key() -> u64 {
    match KEY.load(Ordering::Relaxed) {
        0 => first_key(),
        key => key,
    }
}

/// Chooses the key. Threads that do this at the same time agree on one.
#[cold]
#[inline(never)]
fn first_key() -> u64 {
    let key = key() | 1;
    KEY.compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed).err().unwrap_or(key)
}

/// This is not secret, only unlikely to match by chance. Two rounds of multiplication mix well
/// enough.
fn signature(random: u64) -> u64 {
    let mixed = (random ^ known_key()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed >> (u64::BITS - BITS)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn own_ids_are_told_from_foreign_ones() {
        for _ in 0..10_000 {
            assert!(is_own(span_id()));
        }
        let foreign = (1..200_000_u64).filter(|n| {
            let bytes = n.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes();
            SpanId::from_bytes(bytes).is_some_and(is_own)
        });
        assert!(foreign.count() <= 2, "one in sixteen million is expected");
    }

    #[test]
    fn a_trace_of_ten_thousand_spans_has_no_two_with_one_id() {
        let ids: HashSet<_> = (0..10_000).map(|_| span_id()).collect();
        assert_eq!(ids.len(), 10_000);
    }

    #[test]
    fn ids_of_several_threads_differ() {
        let threads: Vec<_> =
            (0..4).map(|_| std::thread::spawn(|| (0..1000).map(|_| span_id()).collect::<Vec<_>>())).collect();
        let ids: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.len(), 4000);
    }
}
