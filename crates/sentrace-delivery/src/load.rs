//! Accounting: nothing leaves without somebody saying what became of it.

use std::sync::Arc;

use sentrace_core::{Finished, Losses};
use sentrace_protocol::{Category, DiscardedEvents, Reason};

use crate::account::Account;

/// What an envelope counts for. A transaction is a span, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) transactions: u64,
    pub(crate) spans: u64,
}

impl Tally {
    pub(crate) fn of(finished: &Finished) -> Self {
        Self { transactions: 1, spans: finished.child_spans() + 1 }
    }

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

/// What one post carries, until it is known what became of it. If it is dropped unsettled, it is counted as lost.
#[derive(Debug)]
#[must_use = "a load that is dropped counts as lost by our own fault"]
pub(crate) struct Load {
    account: Arc<Account>,
    tally: Tally,
    report: Vec<DiscardedEvents>,
    /// Whether it is on disk, where it stays unless it is settled.
    stored: bool,
}

impl Load {
    pub(crate) fn new(tally: Tally, account: &Arc<Account>) -> Self {
        let tally = if account.enter(tally) { tally } else { Tally::default() };
        Self { account: Arc::clone(account), tally, report: Vec::new(), stored: false }
    }

    pub(crate) fn transaction(finished: &Finished, account: &Arc<Account>) -> Self {
        Self::new(Tally::of(finished), account)
    }

    /// What was read from the spool: the file accounts for it until it is settled.
    pub(crate) fn stored(tally: Tally, account: &Arc<Account>) -> Self {
        Self { account: Arc::clone(account), tally, report: Vec::new(), stored: true }
    }

    /// A report that was [taken](Account::take_report).
    pub(crate) fn report(report: Vec<DiscardedEvents>, account: &Arc<Account>) -> Self {
        let mut load = Self::new(Tally::default(), account);
        load.attach(report);
        load
    }

    /// Adds a report that was [taken](Account::take_report); its losses go back to the counters unless it is delivered.
    pub(crate) fn attach(&mut self, report: Vec<DiscardedEvents>) {
        self.report = report;
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// Counts these of its spans, which will not be sent with the rest.
    pub(crate) fn lose_spans(&mut self, reason: Reason, spans: u64) {
        let lost = Tally { transactions: 0, spans: spans.min(self.tally.spans) };
        self.account.lose(lost, reason);
        self.tally = self.tally.minus(lost);
    }

    /// It arrived.
    pub(crate) fn delivered(mut self) {
        self.account.settle_report(&std::mem::take(&mut self.report), false);
        self.settle();
    }

    /// The ingest turned it away with 429, and counts the transaction itself.
    pub(crate) fn limited(mut self) {
        self.settle();
    }

    /// A file accounts for all of these from here on, except for their reports. Returns `false` if they were counted as
    /// lost in the meantime.
    pub(crate) fn kept(loads: Vec<Self>) -> bool {
        let Some(account) = loads.first().map(|load| Arc::clone(&load.account)) else { return true };
        let fresh = loads.iter().filter(|load| !load.stored);
        let tally = fresh.fold(Tally::default(), |sum, load| sum.plus(load.tally));
        // At once, so that all or none of them were given up.
        let ours = account.settle(tally);
        for mut load in loads {
            std::mem::take(&mut load.tally);
        }
        ours
    }

    /// It will not arrive.
    pub(crate) fn lost(mut self, reason: Reason) {
        self.lose(reason);
    }

    /// The report's losses go back to the counters; the rest is carried on.
    pub(crate) fn detach_report(&mut self) {
        self.account.settle_report(&std::mem::take(&mut self.report), true);
    }

    fn settle(&mut self) {
        let tally = std::mem::take(&mut self.tally);
        if !self.stored {
            self.account.settle(tally);
        }
    }

    fn lose(&mut self, reason: Reason) {
        let tally = std::mem::take(&mut self.tally);
        match self.stored {
            true => tally.lost(reason, self.account.losses()),
            false => self.account.lose(tally, reason),
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if !self.stored {
            self.lose(Reason::InternalSdkError);
        }
        self.detach_report();
    }
}
