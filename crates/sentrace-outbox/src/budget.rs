//! A budget of bytes that many threads reserve from.

use crate::sync::{AtomicUsize, Ordering};

/// The wake-up mark: half of what the record pool keeps for reuse. A consumer that comes by then returns the records to
/// the pool before the pool has to drop any.
const MARK: usize = 256 * 1024;

#[derive(Debug)]
pub(crate) struct ByteBudget {
    reserved: AtomicUsize,
    max: usize,
}

/// A successful reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reserved {
    /// The wake-up mark was not crossed.
    Plenty,
    /// This reservation crossed the wake-up mark: wake the consumer.
    CrossedMark,
}

impl ByteBudget {
    pub(crate) fn new(max: usize) -> Self {
        Self { reserved: AtomicUsize::new(0), max }
    }

    /// Reserves `bytes`, or returns `None` if fewer are left.
    #[inline]
    pub(crate) fn reserve(&self, bytes: usize) -> Option<Reserved> {
        let before = self.reserved.fetch_add(bytes, Ordering::Relaxed);
        let after = before.saturating_add(bytes);
        if after > self.max {
            self.release(bytes);
            return None;
        }
        let crossed = before <= self.mark() && after > self.mark();
        Some(if crossed { Reserved::CrossedMark } else { Reserved::Plenty })
    }

    pub(crate) fn release(&self, bytes: usize) {
        self.reserved.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn reserved(&self) -> usize {
        self.reserved.load(Ordering::Relaxed)
    }

    /// Returns `true` if more is reserved than the wake-up mark.
    pub(crate) fn is_above_mark(&self) -> bool {
        self.reserved() > self.mark()
    }

    fn mark(&self) -> usize {
        MARK.min(self.max / 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_budget_is_never_above_its_mark() {
        let budget = ByteBudget::new(0);
        assert_eq!(budget.reserve(1), None);
        assert!(!budget.is_above_mark());
    }

    #[test]
    fn every_byte_can_be_reserved_and_the_mark_is_reported_once() {
        let budget = ByteBudget::new(100);
        let reservations =
            [(10, Some(Reserved::Plenty)), (15, Some(Reserved::Plenty)), (1, Some(Reserved::CrossedMark))];
        for (bytes, expected) in reservations {
            assert!(!budget.is_above_mark());
            assert_eq!(budget.reserve(bytes), expected);
        }
        assert!(budget.is_above_mark());
        assert_eq!([budget.reserve(74), budget.reserve(1)], [Some(Reserved::Plenty), None]);
        budget.release(90);
        assert!(!budget.is_above_mark(), "what was refused reserved nothing");
        assert_eq!(budget.reserve(50), Some(Reserved::CrossedMark), "again after it was below");
    }

    #[test]
    fn the_mark_is_256_kib_in_a_large_budget() {
        let budget = ByteBudget::new(32 * 1024 * 1024);
        assert_eq!(budget.reserve(256 * 1024), Some(Reserved::Plenty));
        assert_eq!(budget.reserve(1), Some(Reserved::CrossedMark));
    }
}
