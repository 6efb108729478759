//! Ends a request's transaction exactly once, however the request ends.

use std::ops::RangeInclusive;
use std::sync::Arc;

use http::StatusCode;
use sentrace_core::Transaction;
use sentrace_protocol::SpanStatus;
use sentrace_protocol::losses::Reason;

/// Holds the transaction from the call to the last byte. Dropped before the end, it knows that the client is gone.
#[derive(Debug)]
pub(super) struct Guard {
    transaction: Option<Transaction>,
    ignored_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    ignored: bool,
}

impl Guard {
    pub(super) fn new(
        transaction: Transaction,
        ignored_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    ) -> Self {
        Self { transaction: Some(transaction), ignored_statuses, ignored: false }
    }

    /// Of a request that is not ours to trace.
    pub(super) fn none() -> Self {
        Self { transaction: None, ignored_statuses: None, ignored: false }
    }

    /// Whether there is a transaction that has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.transaction.is_some()
    }

    /// Runs code of the service with the transaction current. A panic in it ends the transaction and goes on.
    pub(super) fn enter<R>(&mut self, run: impl FnOnce() -> R) -> R {
        let noticing = NoticePanic { guard: self, panicking_before: std::thread::panicking() };
        match &mut noticing.guard.transaction {
            Some(transaction) => transaction.enter_mut(run),
            None => run(),
        }
    }

    /// The answer's head is there.
    pub(super) fn respond(&mut self, status: StatusCode) {
        let status = status.as_u16();
        if let Some(transaction) = &self.transaction {
            transaction.record_response(status);
        }
        self.ignored = self
            .ignored_statuses
            .as_deref()
            .is_some_and(|ranges| ranges.iter().any(|range| range.contains(&status)));
    }

    /// So many bytes of body went out.
    pub(super) fn sent(&self, bytes: u64) {
        if let Some(transaction) = &self.transaction {
            transaction.set_data("http.response.body.size", bytes);
        }
    }

    /// The request is done, as the answer's status said.
    pub(super) fn complete(&mut self) {
        self.end(None);
    }

    /// The request is over and did not go well, whatever the answer's status said.
    pub(super) fn fail(&mut self, status: SpanStatus) {
        self.end(Some(status));
    }

    fn end(&mut self, status: Option<SpanStatus>) {
        let Some(transaction) = self.transaction.take() else { return };
        if let Some(status) = status {
            transaction.set_status(status);
        }
        if self.ignored {
            transaction.discard(Reason::Ignored);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.fail(SpanStatus::Cancelled);
    }
}

/// Sees a panic on the stack of our own call or poll, also when somebody further out catches it.
struct NoticePanic<'a> {
    guard: &'a mut Guard,
    panicking_before: bool,
}

impl Drop for NoticePanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.panicking_before {
            self.guard.fail(SpanStatus::InternalError);
        }
    }
}
