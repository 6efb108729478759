//! Ends a request's transaction exactly once, however the request ends.

use http::{HeaderMap, StatusCode};
use sentrace_core::adapter::{Around, FastInstant, ResponseParts, current};
use sentrace_core::{SpanRef, Transaction};
use sentrace_protocol::SpanStatus;
use sentrace_protocol::losses::Reason;

use crate::grpc::GrpcStatus;
use crate::panics;

/// Holds the transaction from the call to the last byte. Dropped before the end, it knows that the client is gone.
#[derive(Debug)]
pub(super) struct Guard {
    state: State,
    /// The answer's, once its head is there.
    status: Option<StatusCode>,
    /// Whether the time of the first byte is still to be recorded.
    awaits_first_byte: bool,
    ignored: bool,
    /// Of a gRPC call, whose own status tells how it went.
    grpc: Option<GrpcOutcome>,
}

#[derive(Debug)]
enum State {
    Open(Transaction),
    /// The transaction has ended and the answer goes on, with its span current.
    After(SpanRef),
    Over,
}

/// What is known of a gRPC call's status by now.
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

    /// Of a request that is not ours to trace.
    pub(super) fn none() -> Self {
        Self { state: State::Over, status: None, awaits_first_byte: false, ignored: false, grpc: None }
    }

    /// Whether there is a transaction that has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.transaction().is_some()
    }

    /// The transaction, until it has ended.
    pub(super) fn transaction(&self) -> Option<&Transaction> {
        match &self.state {
            State::Open(transaction) => Some(transaction),
            State::After(_) | State::Over => None,
        }
    }

    /// The answer's head is there. Where the status is ignored, the transaction is not sent. `grpc` are the fields of an
    /// answer of gRPC.
    pub(super) fn answered(&mut self, status: StatusCode, ignored: bool, grpc: Option<&HeaderMap>) {
        self.status = Some(status);
        self.ignored = ignored;
        self.awaits_first_byte = self.transaction().is_some_and(Transaction::is_sampled);
        self.grpc = grpc.map(|fields| GrpcOutcome(GrpcStatus::read(fields)));
    }

    /// Whether the answer is one of gRPC, whose trailers have to be waited for.
    pub(super) fn is_grpc(&self) -> bool {
        self.grpc.is_some()
    }

    /// The fields after an answer's body, or its only ones.
    pub(super) fn trailers(&mut self, fields: &HeaderMap) {
        if let Some(outcome) = &mut self.grpc {
            outcome.0 = GrpcStatus::read(fields).or(outcome.0);
        }
    }

    /// The first byte has left.
    pub(super) fn first_byte_left(&mut self) {
        if std::mem::take(&mut self.awaits_first_byte)
            && let Some(transaction) = self.transaction()
        {
            transaction.set_first_byte(FastInstant::now());
        }
    }

    /// The request is done, as the answer's status said, after so many bytes of body.
    pub(super) fn complete(&mut self, sent: Option<u64>) {
        let outcome = self.grpc_outcome();
        self.end(outcome, sent);
    }

    /// The same, with its span current in what is left of the answer.
    pub(super) fn complete_and_stay_current(&mut self) {
        let Some(transaction) = self.transaction() else { return };
        let span = SpanRef::clone(transaction);
        self.complete(None);
        self.state = State::After(span);
    }

    /// The answer's body is dropped. What was asked for a part of it has lost its client. A body that nobody has asked for
    /// says nothing about the client: another layer may have answered with something else, by the same status.
    pub(super) fn dropped(&mut self, sent: u64) {
        if !self.awaits_first_byte {
            return self.fail(SpanStatus::Cancelled, Some(sent));
        }
        if std::thread::panicking() {
            return self.fail(SpanStatus::InternalError, None);
        }
        if let (Some(GrpcOutcome(None)), Some(transaction)) = (self.grpc, self.transaction()) {
            transaction.clear_rpc_name();
        }
        // The status of a gRPC call is missing only where its stream was read to the end.
        self.grpc = self.grpc.filter(|GrpcOutcome(status)| status.is_some());
        self.complete(None);
    }

    /// What the call's own status says beyond the answer's 200.
    fn grpc_outcome(&self) -> Option<SpanStatus> {
        let (transaction, GrpcOutcome(status)) = (self.transaction()?, self.grpc?);
        let is_ok = self.status == Some(StatusCode::OK);
        if status.is_none() || !is_ok {
            // A handler that hands content types back is no gRPC service, and its client has chosen the name.
            transaction.clear_rpc_name();
        }
        if !is_ok {
            return None;
        }
        let status = status.unwrap_or(GrpcStatus::MISSING);
        status.record(transaction);
        (!status.is_ok()).then(|| status.span_status())
    }

    /// The request is over and did not go well, whatever the answer's status said.
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
            // Where all of the answer left at once, a second look at the clock would tell the same.
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

/// The transaction is current in code of the service. A panic in it ends the transaction and goes on.
impl Around for Guard {
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
