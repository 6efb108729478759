//! What an envelope carries, until its fate is known.

use std::sync::Arc;

use sentrace_core::deliver::FinishedTransaction;
use sentrace_protocol::{ClientReport, DiscardedEvents, Reason};

use crate::account::Account;
use crate::tally::Tally;

/// What an envelope carries. Dropping it unsettled counts it as lost.
///
/// Whatever settles it also settles the client report that it may carry: the report's losses return to the counters
/// unless the envelope was [delivered](Self::delivered).
#[derive(Debug)]
#[must_use = "dropping it counts it as lost by an error of the SDK"]
pub struct Consignment {
    account: Arc<Account>,
    tally: Tally,
    report: Vec<DiscardedEvents>,
    /// Whether a file accounts for it until it is settled.
    from_spool: bool,
}

impl Consignment {
    /// Enters `tally` in the account.
    pub fn new(tally: Tally, account: &Arc<Account>) -> Self {
        let tally = if account.enter(tally) { tally } else { Tally::default() };
        Self { account: Arc::clone(account), tally, report: Vec::new(), from_spool: false }
    }

    /// Enters a transaction with its spans.
    pub fn of(finished: &FinishedTransaction, account: &Arc<Account>) -> Self {
        Self::new(Tally::of(finished), account)
    }

    /// What was read from a spool file, which accounts for it until it is settled.
    pub fn from_spool(tally: Tally, account: &Arc<Account>) -> Self {
        Self { account: Arc::clone(account), tally, report: Vec::new(), from_spool: true }
    }

    /// A report that was [taken](crate::ReportSchedule::take).
    pub(crate) fn of_report(report: &ClientReport, account: &Arc<Account>) -> Self {
        let mut consignment = Self::new(Tally::default(), account);
        consignment.report.clone_from(&report.discarded);
        consignment
    }

    /// Adds a report that travels in the same envelope.
    pub fn attach(&mut self, mut report: Self) {
        self.report.append(&mut report.report);
    }

    /// Returns what it counts for.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Returns the account that it is entered in.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Counts `spans` of it as lost, which are not sent with the rest.
    pub fn discard_spans(&mut self, reason: Reason, spans: u64) {
        let discarded = Tally::of_spans(spans.min(self.tally.spans));
        self.account.discard(discarded, reason);
        self.tally = self.tally.minus(discarded);
    }

    /// It arrived.
    pub fn delivered(self) {
        self.hand_over();
    }

    /// Something that does not report back is responsible for it from here on. Returns `false` if it was counted as lost
    /// in the meantime.
    pub fn hand_over(mut self) -> bool {
        self.account.settle_report(&std::mem::take(&mut self.report), false);
        self.settle()
    }

    /// The ingest refused it with 429, and counts the transaction itself.
    pub fn rate_limited(mut self) {
        self.settle();
    }

    /// One spool file accounts for all of these from here on, except for their reports. Returns `false` if they were
    /// counted as lost in the meantime.
    pub fn spooled(consignments: Vec<Self>) -> bool {
        let Some(account) = consignments.first().map(|first| Arc::clone(&first.account)) else { return true };
        let fresh = consignments.iter().filter(|consignment| !consignment.from_spool);
        let tally = fresh.fold(Tally::default(), |sum, consignment| sum.plus(consignment.tally));
        // In one step, so that all or none of them were given up.
        let ours = account.settle(tally);
        for mut consignment in consignments {
            std::mem::take(&mut consignment.tally);
        }
        ours
    }

    /// It will not arrive.
    pub fn discard(mut self, reason: Reason) {
        self.discard_tally(reason);
    }

    /// Returns the report's losses to the counters, and keeps the rest.
    pub fn detach_report(&mut self) {
        self.account.settle_report(&std::mem::take(&mut self.report), true);
    }

    fn settle(&mut self) -> bool {
        let tally = std::mem::take(&mut self.tally);
        self.from_spool || self.account.settle(tally)
    }

    fn discard_tally(&mut self, reason: Reason) {
        let tally = std::mem::take(&mut self.tally);
        match self.from_spool {
            true => tally.discard(reason, self.account.losses()),
            false => self.account.discard(tally, reason),
        }
    }
}

impl Drop for Consignment {
    fn drop(&mut self) {
        if !self.from_spool {
            self.discard_tally(Reason::InternalSdkError);
        }
        self.detach_report();
    }
}
