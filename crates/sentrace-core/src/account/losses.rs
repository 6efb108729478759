//! Counters of lost events, by reason and category.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use sentrace_protocol::losses::{Category, DiscardedEvents, Reason};

use crate::util::sharded::Sharded;

/// Reasons for which requests themselves lose something; see [`shard_of`].
const FREQUENT: usize = 6;

/// Counters of lost events, shared by everything that can lose one.
///
/// Code that drops an event counts it here. The deliverer reads and resets the counters with
/// [`take`](Self::take) and sends them as a client report (Sentry SDK specification, *Client Reports* 1.20).
#[derive(Default)]
pub struct Losses {
    /// Two cells for each frequent reason: whole transactions, and child spans or single spans. A whole transaction also
    /// stands for the span that it is itself, so an unsampled request usually writes one cell.
    frequent: Sharded<{ 2 * FREQUENT }>,
    /// Everything else, by category. A row is allocated when its category is first used, which most never are.
    rows: [OnceLock<Box<Row>>; Category::ALL.len()],
}

/// Counters of one category, by reason.
#[derive(Default)]
struct Row {
    /// Losses that are not in [`Losses::frequent`].
    lost: [AtomicU64; Reason::ALL.len()],
    /// How many of all losses have been taken.
    taken: [AtomicU64; Reason::ALL.len()],
}

impl Losses {
    /// Counts `quantity` lost events.
    #[inline]
    pub fn record(&self, reason: Reason, category: Category, quantity: u64) {
        if quantity == 0 {
            return;
        }
        match shard_of(reason) {
            Some(shard) if category == Category::Span => self.frequent.add(shard + 1, quantity),
            _ => self.record_rare(reason, category, quantity),
        }
    }

    /// Counts a lost transaction with its spans. The transaction itself counts as one more span.
    #[inline]
    pub fn record_transaction(&self, reason: Reason, child_spans: u64) {
        match shard_of(reason) {
            Some(shard) => {
                self.frequent.add(shard, 1);
                self.record(reason, Category::Span, child_spans);
            }
            None => {
                self.record_rare(reason, Category::Transaction, 1);
                self.record_rare(reason, Category::Span, child_spans.saturating_add(1));
            }
        }
    }

    /// Returns all counters that are not zero, and resets them.
    pub fn take(&self) -> Vec<DiscardedEvents> {
        self.collect(|reason, category| {
            let count = self.sum(reason, category);
            if count == 0 {
                return 0;
            }
            let take = |taken: u64| (taken < count).then_some(count);
            let taken = &self.row(category).taken[reason.index()];
            let before = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
            before.map_or(0, |before| count - before)
        })
    }

    /// Returns all counters that are not zero, without resetting them.
    pub fn peek(&self) -> Vec<DiscardedEvents> {
        self.collect(|reason, category| {
            // Read before the sum, which may grow in between but never falls below what was taken.
            let taken = read(self.rows[category.index()].get().map(|row| &row.taken[reason.index()]));
            self.sum(reason, category).saturating_sub(taken)
        })
    }

    /// Returns everything lost so far, whether it has been taken or not.
    pub fn total(&self) -> Vec<DiscardedEvents> {
        self.collect(|reason, category| self.sum(reason, category))
    }

    /// Puts back what was taken for a report that could not be delivered.
    pub fn restore(&self, discarded: &[DiscardedEvents]) {
        for DiscardedEvents { reason, category, quantity } in discarded {
            let cell = &self.row(*category).taken[reason.index()];
            let give_back = |taken: u64| Some(taken.saturating_sub(*quantity));
            let taken =
                cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, give_back).unwrap_or_default();
            // Losses that were never taken from here are new here.
            self.record(*reason, *category, quantity.saturating_sub(taken));
        }
    }

    // Not inlined: requests record frequent reasons.
    #[inline(never)]
    fn record_rare(&self, reason: Reason, category: Category, quantity: u64) {
        self.row(category).lost[reason.index()].fetch_add(quantity, Ordering::Relaxed);
    }

    fn row(&self, category: Category) -> &Row {
        self.rows[category.index()].get_or_init(Box::default)
    }

    fn collect(&self, read: impl Fn(Reason, Category) -> u64) -> Vec<DiscardedEvents> {
        let mut discarded = Vec::new();
        for reason in Reason::ALL.iter().copied() {
            for category in Category::ALL.iter().copied() {
                let quantity = read(reason, category);
                if quantity > 0 {
                    discarded.push(DiscardedEvents { reason, category, quantity });
                }
            }
        }
        discarded
    }

    fn sum(&self, reason: Reason, category: Category) -> u64 {
        let frequent = match (shard_of(reason), category) {
            (Some(shard), Category::Transaction) => self.frequent.sum(shard),
            (Some(shard), Category::Span) => {
                self.frequent.sum(shard).wrapping_add(self.frequent.sum(shard + 1))
            }
            _ => 0,
        };
        let rare = read(self.rows[category.index()].get().map(|row| &row.lost[reason.index()]));
        frequent.wrapping_add(rare)
    }
}

/// The first of the two cells of a reason for which requests themselves lose something. A deliverer's reasons have none.
#[inline]
const fn shard_of(reason: Reason) -> Option<usize> {
    let frequent = match reason {
        Reason::SampleRate => 0,
        Reason::Ignored => 1,
        Reason::Backpressure => 2,
        Reason::InsufficientData => 3,
        Reason::BufferOverflow => 4,
        Reason::QueueOverflow => 5,
        _ => return None,
    };
    Some(2 * frequent)
}

fn read(cell: Option<&AtomicU64>) -> u64 {
    cell.map_or(0, |cell| cell.load(Ordering::Relaxed))
}

impl fmt::Debug for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.peek()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_and_category_has_a_counter_of_its_own() {
        let losses = Losses::default();
        let all = || Reason::ALL.iter().flat_map(|r| Category::ALL.iter().map(move |c| (*r, *c)));
        for (quantity, (reason, category)) in (1..).zip(all()) {
            losses.record(reason, category, quantity);
        }
        let counted = losses.take().into_iter().map(|lost| (lost.quantity, (lost.reason, lost.category)));
        assert!(counted.eq((1..).zip(all())));
    }

    #[test]
    fn the_counters_of_a_client_are_small() {
        assert!(size_of::<Losses>() <= 8 * 1024, "{} bytes", size_of::<Losses>());
    }

    #[test]
    fn a_lost_transaction_loses_its_spans_and_itself_as_a_span() {
        let losses = Losses::default();
        losses.record_transaction(Reason::QueueOverflow, 4);
        assert_eq!(
            losses.take(),
            [
                DiscardedEvents {
                    reason: Reason::QueueOverflow,
                    category: Category::Transaction,
                    quantity: 1
                },
                DiscardedEvents { reason: Reason::QueueOverflow, category: Category::Span, quantity: 5 },
            ]
        );
        assert_eq!(losses.take(), []);
    }

    #[test]
    fn a_report_that_was_not_delivered_is_counted_again() {
        let losses = Losses::default();
        losses.record(Reason::SampleRate, Category::Span, 3);
        let taken = losses.take();
        losses.record(Reason::SampleRate, Category::Span, 1);
        losses.restore(&taken);
        assert_eq!(
            losses.take(),
            [DiscardedEvents { reason: Reason::SampleRate, category: Category::Span, quantity: 4 }]
        );
    }

    #[test]
    fn what_was_taken_is_still_in_the_total() {
        let losses = Losses::default();
        let lost =
            |quantity| [DiscardedEvents { reason: Reason::Ignored, category: Category::Span, quantity }];
        losses.record(Reason::Ignored, Category::Span, 3);
        let taken = losses.take();
        assert_eq!((losses.peek(), losses.total()), (Vec::new(), lost(3).to_vec()));
        losses.record(Reason::Ignored, Category::Span, 2);
        losses.restore(&taken);
        assert_eq!((losses.peek(), losses.total()), (lost(5).to_vec(), lost(5).to_vec()));
        losses.take();
        losses.restore(&lost(6));
        assert_eq!(
            (losses.peek(), losses.total()),
            (lost(6).to_vec(), lost(6).to_vec()),
            "one more than was taken"
        );
    }
}
