//! What was recorded and will not arrive, counted by reason and category.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use sentrace_protocol::losses::{Category, DiscardedEvents, Reason};

use crate::sharded::Sharded;

const CELLS: usize = Reason::ALL.len() * Category::ALL.len();
/// Where transactions are counted together with the spans that they are themselves, by reason: what nearly every unsampled
/// request counts is one write so.
const WHOLE: usize = CELLS;

/// Counters of lost events, shared by everything that can lose one.
///
/// Whoever drops an event counts it here; whoever delivers reads and resets the counters with
/// [`take`](Self::take) and sends them as a client report (Sentry SDK specification, *Client Reports* 1.20).
pub struct Losses {
    /// All that was ever lost.
    counts: Sharded<{ WHOLE + Reason::ALL.len() }>,
    /// How much of that was taken.
    taken: [AtomicU64; CELLS],
}

impl Losses {
    /// Counts `quantity` lost events.
    pub fn record(&self, reason: Reason, category: Category, quantity: u64) {
        if quantity > 0 {
            self.counts.add(index(reason, category), quantity);
        }
    }

    /// Counts a lost transaction with its spans: the transaction itself is one span more.
    pub fn record_transaction(&self, reason: Reason, child_spans: u64) {
        self.counts.add(WHOLE + reason.index(), 1);
        self.record(reason, Category::Span, child_spans);
    }

    /// Reads and resets all counters; only those that are not zero are returned.
    pub fn take(&self) -> Vec<DiscardedEvents> {
        self.collect(|reason, category| {
            let count = self.sum(reason, category);
            let take = |taken: u64| (taken < count).then_some(count);
            let taken = &self.taken[index(reason, category)];
            let before = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
            before.map_or(0, |before| count - before)
        })
    }

    /// Reads all counters that are not zero and leaves them as they are.
    pub fn peek(&self) -> Vec<DiscardedEvents> {
        self.collect(|reason, category| {
            // In this order: what is counted in between is not taken yet.
            let taken = self.taken[index(reason, category)].load(Ordering::Relaxed);
            self.sum(reason, category).saturating_sub(taken)
        })
    }

    /// Reads what was ever lost, taken or not; only what is not zero is returned.
    pub fn total(&self) -> Vec<DiscardedEvents> {
        self.collect(|reason, category| self.sum(reason, category))
    }

    /// Puts back what was taken for a report that could not be delivered.
    pub fn restore(&self, discarded: &[DiscardedEvents]) {
        for DiscardedEvents { reason, category, quantity } in discarded {
            let cell = &self.taken[index(*reason, *category)];
            let give_back = |taken: u64| Some(taken.saturating_sub(*quantity));
            let taken =
                cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, give_back).unwrap_or_default();
            // What was never taken from here is new here.
            self.record(*reason, *category, quantity.saturating_sub(taken));
        }
    }

    fn collect(&self, read: impl Fn(Reason, Category) -> u64) -> Vec<DiscardedEvents> {
        let mut discarded = Vec::new();
        for reason in Reason::ALL {
            for category in Category::ALL {
                let quantity = read(reason, category);
                if quantity > 0 {
                    discarded.push(DiscardedEvents { reason, category, quantity });
                }
            }
        }
        discarded
    }

    fn sum(&self, reason: Reason, category: Category) -> u64 {
        let whole = match category {
            Category::Transaction | Category::Span => self.counts.sum(WHOLE + reason.index()),
            _ => 0,
        };
        whole + self.counts.sum(index(reason, category))
    }
}

fn index(reason: Reason, category: Category) -> usize {
    reason.index() * Category::ALL.len() + category.index()
}

impl Default for Losses {
    fn default() -> Self {
        Self { counts: Sharded::default(), taken: [const { AtomicU64::new(0) }; CELLS] }
    }
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
