//! What was recorded and will not arrive, counted by reason and category.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use sentrace_protocol::losses::{Category, DiscardedEvents, Reason};

const CELLS: usize = Reason::ALL.len() * Category::ALL.len();

/// Counters of lost events, shared by everything that can lose one.
///
/// Whoever drops an event counts it here; whoever delivers reads and resets the counters with
/// [`take`](Self::take) and sends them as a client report (Sentry SDK specification, *Client Reports* 1.20).
pub struct Losses {
    counts: [AtomicU64; CELLS],
}

impl Losses {
    /// Counts `quantity` lost events.
    pub fn record(&self, reason: Reason, category: Category, quantity: u64) {
        if quantity > 0 {
            self.cell(reason, category).fetch_add(quantity, Ordering::Relaxed);
        }
    }

    /// Counts a lost transaction with its spans: the transaction itself is one span more.
    pub fn record_transaction(&self, reason: Reason, child_spans: u64) {
        self.record(reason, Category::Transaction, 1);
        self.record(reason, Category::Span, child_spans.saturating_add(1));
    }

    /// Reads and resets all counters; only those that are not zero are returned.
    pub fn take(&self) -> Vec<DiscardedEvents> {
        self.collect(|cell| cell.swap(0, Ordering::Relaxed))
    }

    /// Reads all counters that are not zero and leaves them as they are.
    pub fn peek(&self) -> Vec<DiscardedEvents> {
        self.collect(|cell| cell.load(Ordering::Relaxed))
    }

    /// Puts back what was taken for a report that could not be delivered.
    pub fn restore(&self, discarded: &[DiscardedEvents]) {
        for events in discarded {
            self.record(events.reason, events.category, events.quantity);
        }
    }

    fn collect(&self, read: impl Fn(&AtomicU64) -> u64) -> Vec<DiscardedEvents> {
        let mut discarded = Vec::new();
        for reason in Reason::ALL {
            for category in Category::ALL {
                let quantity = read(self.cell(reason, category));
                if quantity > 0 {
                    discarded.push(DiscardedEvents { reason, category, quantity });
                }
            }
        }
        discarded
    }

    fn cell(&self, reason: Reason, category: Category) -> &AtomicU64 {
        &self.counts[reason.index() * Category::ALL.len() + category.index()]
    }
}

impl Default for Losses {
    fn default() -> Self {
        Self { counts: [const { AtomicU64::new(0) }; CELLS] }
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
}
