//! Ends a request's transaction exactly once, however the request ends.

use std::ops::RangeInclusive;
use std::sync::Arc;

use http::Response;
use sentrace_core::Transaction;
use sentrace_protocol::SpanStatus;
use sentrace_protocol::losses::Reason;

use super::layer::Config;
use super::server_timing;

/// Holds the transaction from the call to the last byte. Dropped before the end, it knows that the client is gone.
#[derive(Debug)]
pub(super) struct Guard {
    transaction: Option<Transaction>,
    ignored_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    ignored: bool,
    server_timing: bool,
}

impl Guard {
    pub(super) fn new(transaction: Transaction, config: &Config) -> Self {
        Self {
            transaction: Some(transaction),
            ignored_statuses: config.ignored_statuses.clone(),
            ignored: false,
            server_timing: config.server_timing,
        }
    }

    /// Of a request that is not ours to trace.
    pub(super) fn none() -> Self {
        Self { transaction: None, ignored_statuses: None, ignored: false, server_timing: false }
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
    pub(super) fn respond<B>(&mut self, response: &mut Response<B>) {
        let Some(transaction) = &self.transaction else { return };
        let status = response.status().as_u16();
        transaction.record_response(status);
        self.ignored = self
            .ignored_statuses
            .as_deref()
            .is_some_and(|ranges| ranges.iter().any(|range| range.contains(&status)));
        if self.server_timing
            && let Some(trace) = transaction.trace_headers()
        {
            server_timing::append(response.headers_mut(), &trace);
        }
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
