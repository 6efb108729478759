//! Accounting: nothing leaves without somebody saying what became of it.

use std::sync::Arc;

use sentrace_core::{Finished, Losses};
use sentrace_protocol::{DiscardedEvents, Reason};

/// What one post carries, until it is known what became of it. What nobody settles is counted when it is dropped.
#[derive(Debug)]
#[must_use = "a load that is dropped counts as lost by our own fault"]
pub(crate) struct Load {
    losses: Arc<Losses>,
    /// The child spans of the transaction, if there is one.
    transaction: Option<u64>,
    report: Vec<DiscardedEvents>,
}

impl Load {
    pub(crate) fn transaction(finished: &Finished, losses: &Arc<Losses>) -> Self {
        Self { losses: Arc::clone(losses), transaction: Some(finished.child_spans()), report: Vec::new() }
    }

    pub(crate) fn report(report: &[DiscardedEvents], losses: &Arc<Losses>) -> Self {
        Self { losses: Arc::clone(losses), transaction: None, report: report.to_vec() }
    }

    /// Adds a client report, whose counts go back where they came from unless it is delivered.
    pub(crate) fn attach(&mut self, report: &[DiscardedEvents]) {
        self.report = report.to_vec();
    }

    /// It arrived.
    pub(crate) fn delivered(mut self) {
        self.transaction = None;
        self.report.clear();
    }

    /// The ingest turned it away with 429, and counts the transaction itself.
    pub(crate) fn limited(mut self) {
        self.transaction = None;
    }

    /// It will not arrive.
    pub(crate) fn lost(mut self, reason: Reason) {
        self.count(reason);
    }

    fn count(&mut self, reason: Reason) {
        if let Some(child_spans) = self.transaction.take() {
            self.losses.record_transaction(reason, child_spans);
        }
        self.losses.restore(&std::mem::take(&mut self.report));
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.count(Reason::InternalSdkError);
    }
}
