//! How many transactions and spans something stands for.

use sentrace_core::deliver::{FinishedTransaction, Losses};
use sentrace_protocol::{Category, Reason};

/// A number of transactions and spans. A transaction counts as a span, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Transactions.
    pub transactions: u64,
    /// Spans, transactions included.
    pub spans: u64,
}

impl Tally {
    /// Returns the tally of one transaction with its child spans.
    pub fn of(finished: &FinishedTransaction) -> Self {
        Self { transactions: 1, spans: finished.child_spans() + 1 }
    }

    /// Returns the tally of `spans` streamed spans.
    pub fn of_spans(spans: u64) -> Self {
        Self { transactions: 0, spans }
    }

    /// Returns `true` if both counts are zero.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Returns the category that rate limits apply to it.
    pub fn category(self) -> Category {
        if self.transactions > 0 { Category::Transaction } else { Category::Span }
    }

    /// Returns the sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            transactions: self.transactions.saturating_add(other.transactions),
            spans: self.spans.saturating_add(other.spans),
        }
    }

    /// Returns the difference, or zero where `other` is larger.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            transactions: self.transactions.saturating_sub(other.transactions),
            spans: self.spans.saturating_sub(other.spans),
        }
    }

    /// Counts all of it as lost.
    pub fn discard(self, reason: Reason, losses: &Losses) {
        losses.record(reason, Category::Transaction, self.transactions);
        losses.record(reason, Category::Span, self.spans);
    }
}
