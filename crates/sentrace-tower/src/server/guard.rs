//! Ends a request's transaction exactly once, however the request ends.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, Response, StatusCode};
use http_body::Body;
use sentrace_core::{ResponseParts, SpanRef, Transaction, current};
use sentrace_protocol::SpanStatus;
use sentrace_protocol::losses::Reason;

use super::handler_error::HandlerError;
use super::layer::Config;
use super::long_lived::{Held, Kind, LongLived};
use super::request_kind::RequestKind;
use super::server_timing;
use crate::grpc::GrpcStatus;
use crate::panics;

/// Holds the transaction from the call to the last byte. Dropped before the end, it knows that the client is gone.
#[derive(Debug)]
pub(super) struct Guard {
    state: State,
    response: ResponseParts,
    ignored_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    ignored: bool,
    server_timing: bool,
    /// Of a gRPC call, whose own status tells how it went.
    grpc: Option<GrpcOutcome>,
    event_streams: LongLived,
    /// Who may hold the transaction of an upgraded request.
    upgraded: Option<Arc<Held>>,
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
    pub(super) fn new(
        transaction: Transaction,
        config: &Config,
        grpc: bool,
        upgraded: Option<Arc<Held>>,
    ) -> Self {
        Self {
            state: State::Open(transaction),
            response: ResponseParts::default(),
            ignored_statuses: config.ignored_statuses.clone(),
            ignored: false,
            server_timing: config.server_timing,
            grpc: grpc.then_some(GrpcOutcome(None)),
            event_streams: config.event_streams,
            upgraded,
        }
    }

    /// Of a request that is not ours to trace.
    pub(super) fn none() -> Self {
        Self {
            state: State::Over,
            response: ResponseParts::default(),
            ignored_statuses: None,
            ignored: false,
            server_timing: false,
            grpc: None,
            event_streams: LongLived::Hold,
            upgraded: None,
        }
    }

    /// Whether there is a transaction that has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.transaction().is_some()
    }

    fn transaction(&self) -> Option<&Transaction> {
        match &self.state {
            State::Open(transaction) => Some(transaction),
            State::After(_) | State::Over => None,
        }
    }

    /// Runs code of the service with the transaction current. A panic in it ends the transaction and goes on.
    pub(super) fn enter<R>(&mut self, run: impl FnOnce() -> R) -> R {
        let enter = |guard: &mut Self| match &mut guard.state {
            State::Open(transaction) => transaction.enter_mut(run),
            State::After(span) => current::enter(span, run),
            State::Over => run(),
        };
        panics::noticing(self, enter, |guard| guard.fail(SpanStatus::InternalError))
    }

    /// The answer's head is there.
    pub(super) fn respond<B>(&mut self, response: &mut Response<B>) {
        let State::Open(transaction) = &self.state else { return };
        let status = response.status().as_u16();
        self.response.status = Some(status);
        let sampled = transaction.is_sampled();
        self.response.first_byte = sampled.then(Instant::now);
        if sampled && let Some(error) = response.extensions().get::<HandlerError>() {
            error.record(transaction);
        }
        self.ignored = self
            .ignored_statuses
            .as_deref()
            .is_some_and(|ranges| ranges.iter().any(|range| range.contains(&status)));
        if self.server_timing
            && let Some(trace) = transaction.trace_headers()
        {
            server_timing::append(response.headers_mut(), &trace);
        }
        if self.grpc.is_some() {
            self.trailers(response.headers());
        }
    }

    /// Whether this is a gRPC call, whose trailers have to be waited for.
    pub(super) fn is_grpc(&self) -> bool {
        self.grpc.is_some()
    }

    /// The fields after an answer's body, or its only ones.
    pub(super) fn trailers(&mut self, fields: &HeaderMap) {
        if let Some(outcome) = &mut self.grpc {
            outcome.0 = GrpcStatus::read(fields).or(outcome.0);
        }
    }

    /// Ends or keeps the transaction of a request that stays open after its answer's head, by the layer's policy.
    pub(super) fn stay_open<B: Body>(&mut self, response: &Response<B>, request: RequestKind) {
        // Whatever is not recorded looks the same either way.
        let Some(transaction) = self.transaction().filter(|transaction| transaction.is_sampled()) else {
            return;
        };
        let Some(kind) = Kind::of(response, request) else { return };
        kind.mark(transaction, response.headers());
        if kind != Kind::EventStream {
            if let Some(held) = self.upgraded.take() {
                held.hold(std::mem::replace(self, Self::none()));
            }
        } else if self.event_streams == LongLived::EndAtHead {
            let span = SpanRef::clone(transaction);
            self.complete();
            self.state = State::After(span);
        }
    }

    /// So many bytes of body went out by now.
    pub(super) fn sent(&mut self, bytes: u64) {
        self.response.body_size = Some(bytes);
    }

    /// The request is done, as the answer's status said.
    pub(super) fn complete(&mut self) {
        let outcome = self.grpc_outcome();
        self.end(outcome);
    }

    /// What the call's own status says beyond the answer's 200.
    fn grpc_outcome(&self) -> Option<SpanStatus> {
        let (transaction, GrpcOutcome(status)) = (self.transaction()?, self.grpc?);
        if self.response.status != Some(StatusCode::OK.as_u16()) {
            return None;
        }
        let status = status.unwrap_or(GrpcStatus::MISSING);
        status.record(transaction);
        (!status.is_ok()).then(|| status.span_status())
    }

    /// The request is over and did not go well, whatever the answer's status said.
    pub(super) fn fail(&mut self, status: SpanStatus) {
        self.end(Some(status));
    }

    fn end(&mut self, status: Option<SpanStatus>) {
        if !self.is_open() {
            return;
        }
        let State::Open(transaction) = std::mem::replace(&mut self.state, State::Over) else { return };
        if self.ignored {
            transaction.discard(Reason::Ignored);
        } else {
            self.response.outcome = status;
            transaction.finish_with_response(&self.response);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.fail(SpanStatus::Cancelled);
    }
}
