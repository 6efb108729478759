//! Accounting: nothing leaves without somebody saying what became of it.

use std::sync::Arc;

use sentrace_core::{Finished, Losses};
use sentrace_protocol::{Category, DiscardedEvents, Reason};

/// What an envelope counts for. A transaction is a span, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) transactions: u64,
    pub(crate) spans: u64,
}

impl Tally {
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// What rate limits call it.
    pub(crate) fn category(self) -> Category {
        if self.transactions > 0 { Category::Transaction } else { Category::Span }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            transactions: self.transactions.saturating_add(other.transactions),
            spans: self.spans.saturating_add(other.spans),
        }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            transactions: self.transactions.saturating_sub(other.transactions),
            spans: self.spans.saturating_sub(other.spans),
        }
    }

    pub(crate) fn lost(self, reason: Reason, losses: &Losses) {
        losses.record(reason, Category::Transaction, self.transactions);
        losses.record(reason, Category::Span, self.spans);
    }
}

/// What one post carries, until it is known what became of it. What nobody settles is counted when it is dropped.
#[derive(Debug)]
#[must_use = "a load that is dropped counts as lost by our own fault"]
pub(crate) struct Load {
    losses: Arc<Losses>,
    tally: Tally,
    report: Vec<DiscardedEvents>,
}

impl Load {
    pub(crate) fn new(tally: Tally, losses: &Arc<Losses>) -> Self {
        Self { losses: Arc::clone(losses), tally, report: Vec::new() }
    }

    pub(crate) fn transaction(finished: &Finished, losses: &Arc<Losses>) -> Self {
        Self::new(Tally { transactions: 1, spans: finished.child_spans() + 1 }, losses)
    }

    pub(crate) fn report(report: &[DiscardedEvents], losses: &Arc<Losses>) -> Self {
        let mut load = Self::new(Tally::default(), losses);
        load.attach(report);
        load
    }

    /// Adds a client report, whose counts go back where they came from unless it is delivered.
    pub(crate) fn attach(&mut self, report: &[DiscardedEvents]) {
        self.report = report.to_vec();
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// Counts these of its spans, which will not be sent with the rest.
    pub(crate) fn lose_spans(&mut self, reason: Reason, spans: u64) {
        let lost = Tally { transactions: 0, spans: spans.min(self.tally.spans) };
        lost.lost(reason, &self.losses);
        self.tally = self.tally.minus(lost);
    }

    /// It arrived.
    pub(crate) fn delivered(mut self) {
        self.tally = Tally::default();
        self.report.clear();
    }

    /// The ingest turned it away with 429, and counts the transaction itself.
    pub(crate) fn limited(self) {
        self.kept();
    }

    /// It is somebody else's from here on: all but the report.
    pub(crate) fn kept(mut self) {
        self.tally = Tally::default();
    }

    /// It will not arrive.
    pub(crate) fn lost(mut self, reason: Reason) {
        self.count(reason);
    }

    /// The report's counts go back; the rest is carried on.
    pub(crate) fn detach_report(&mut self) {
        self.losses.restore(&std::mem::take(&mut self.report));
    }

    fn count(&mut self, reason: Reason) {
        std::mem::take(&mut self.tally).lost(reason, &self.losses);
        self.detach_report();
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.count(Reason::InternalSdkError);
    }
}
