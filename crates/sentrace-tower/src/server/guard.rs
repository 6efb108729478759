//! Ends a request's transaction exactly once, however the request ends.

use http::{HeaderMap, StatusCode};
use sentrace_core::adapter::{Around, FastInstant, ResponseParts, current};
use sentrace_core::{SpanRef, Transaction};
use sentrace_protocol::SpanStatus;
use sentrace_protocol::losses::Reason;

use crate::grpc::GrpcStatus;
use crate::panics;

/// Holds the transaction from the call to the last byte. If it is dropped before the end, the client is gone.
#[derive(Debug)]
pub(super) struct Guard {
    state: State,
    /// The status code, once the head of the response is there.
    status: Option<StatusCode>,
    /// Whether the time of the first byte still has to be recorded.
    awaits_first_byte: bool,
    ignored: bool,
    /// Set for gRPC calls, which have a status of their own.
    grpc: Option<GrpcOutcome>,
}

#[derive(Debug)]
enum State {
    Open(Transaction),
    /// The transaction has ended, and its span is current in the rest of the response.
    After(SpanRef),
    Over,
}

/// The status of a gRPC call, as far as it is known.
#[derive(Debug, Clone, Copy)]
struct GrpcOutcome(Option<GrpcStatus>);

impl Guard {
    pub(super) fn new(transaction: Transaction) -> Self {
        Self {
            state: State::Open(transaction),
            status: None,
            awaits_first_byte: false,
            ignored: false,
            grpc: None,
        }
    }

    /// Creates a no-op guard for requests that are not traced.
    pub(super) fn none() -> Self {
        Self { state: State::Over, status: None, awaits_first_byte: false, ignored: false, grpc: None }
    }

    /// Returns `true` if there is a transaction that has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.transaction().is_some()
    }

    /// Returns the transaction until it has ended.
    pub(super) fn transaction(&self) -> Option<&Transaction> {
        match &self.state {
            State::Open(transaction) => Some(transaction),
            State::After(_) | State::Over => None,
        }
    }

    /// Sets the status of the response. If it is ignored, the transaction is not sent. `grpc` are the header fields of a gRPC
    /// response.
    pub(super) fn set_response(&mut self, status: StatusCode, ignored: bool, grpc: Option<&HeaderMap>) {
        self.status = Some(status);
        self.ignored = ignored;
        self.awaits_first_byte = self.transaction().is_some_and(Transaction::is_sampled);
        self.grpc = grpc.map(|fields| GrpcOutcome(GrpcStatus::read(fields)));
    }

    /// Returns `true` if the response is one of gRPC, whose status is in its trailers.
    pub(super) fn is_grpc(&self) -> bool {
        self.grpc.is_some()
    }

    /// Reads the status of a gRPC call from the trailers.
    pub(super) fn set_trailers(&mut self, fields: &HeaderMap) {
        if let Some(outcome) = &mut self.grpc {
            outcome.0 = GrpcStatus::read(fields).or(outcome.0);
        }
    }

    /// Records the time of the first byte, once.
    pub(super) fn record_first_byte(&mut self) {
        if std::mem::take(&mut self.awaits_first_byte)
            && let Some(transaction) = self.transaction()
        {
            transaction.set_first_byte(FastInstant::now());
        }
    }

    /// Ends the transaction with the status of the response, after `sent` bytes of body.
    pub(super) fn complete(&mut self, sent: Option<u64>) {
        let outcome = self.grpc_outcome();
        self.end(outcome, sent);
    }

    /// Ends the transaction as [`complete`](Self::complete) does, and keeps its span current in the rest of the response.
    pub(super) fn complete_and_stay_current(&mut self) {
        let Some(transaction) = self.transaction() else { return };
        let span = SpanRef::clone(transaction);
        self.complete(None);
        self.state = State::After(span);
    }

    /// Ends the transaction when the body is dropped: as `cancelled` if a part of it was polled. A body that was never polled
    /// says nothing about the client, since another layer may have replaced the response and kept its status.
    pub(super) fn drop_body(&mut self, sent: u64) {
        if !self.awaits_first_byte {
            return self.fail(SpanStatus::Cancelled, Some(sent));
        }
        if std::thread::panicking() {
            return self.fail(SpanStatus::InternalError, None);
        }
        if let (Some(GrpcOutcome(None)), Some(transaction)) = (self.grpc, self.transaction()) {
            transaction.clear_rpc_name();
        }
        // The status of a gRPC call is missing only if its stream was read to the end.
        self.grpc = self.grpc.filter(|GrpcOutcome(status)| status.is_some());
        self.complete(None);
    }

    /// Records the status of a gRPC call, and returns it if it is not OK.
    fn grpc_outcome(&self) -> Option<SpanStatus> {
        let (transaction, GrpcOutcome(status)) = (self.transaction()?, self.grpc?);
        let is_ok = self.status == Some(StatusCode::OK);
        if status.is_none() || !is_ok {
            // A handler that echoes content types is not a gRPC service, and its client has chosen the name.
            transaction.clear_rpc_name();
        }
        if !is_ok {
            return None;
        }
        let status = status.unwrap_or(GrpcStatus::MISSING);
        status.record(transaction);
        (!status.is_ok()).then(|| status.span_status())
    }

    /// Ends the transaction with this status instead of that of the response.
    pub(super) fn fail(&mut self, status: SpanStatus, sent: Option<u64>) {
        self.end(Some(status), sent);
    }

    fn end(&mut self, outcome: Option<SpanStatus>, body_size: Option<u64>) {
        let State::Open(transaction) = &mut self.state else { return };
        let transaction = std::mem::replace(transaction, Transaction::none());
        self.state = State::Over;
        if self.ignored {
            transaction.discard(Reason::Ignored);
        } else {
            // If the whole response was sent at once, reading the clock again would give the same time.
            let at_once = self.awaits_first_byte.then(FastInstant::now);
            transaction.finish_with_response(&ResponseParts {
                status: self.status.map(|status| status.as_u16()),
                first_byte: at_once,
                end: at_once,
                body_size,
                outcome,
            });
        }
    }
}

/// The transaction is current in the service's code. A panic there ends the transaction and continues.
impl Around for Guard {
    #[inline]
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
        let enter = |guard: &mut Self| match &mut guard.state {
            State::Open(transaction) => transaction.enter_mut(run),
            State::After(span) => current::enter(span, run),
            State::Over => run(),
        };
        panics::noticing(self, enter, |guard| guard.fail(SpanStatus::InternalError, None))
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self::none()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.fail(SpanStatus::Cancelled, None);
    }
}
