//! What is done when the answer's head is there, as the layer's settings and the request have it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use http::{Response, header};
use http_body::Body;
use sentrace_core::Transaction;
use sentrace_core::adapter::HandlerError;

use super::config::Config;
use super::guard::Guard;
use super::long_lived::{Held, Kind, LongLived};
use super::preflight::Preflight;
use super::request_kind::RequestKind;
use super::server_timing;
use crate::grpc::PossibleCall;

/// Apart from the [`Guard`], which moves on into the body and is small for that.
#[derive(Debug)]
pub(super) struct AtHead {
    request: RequestKind,
    server_timing: bool,
    event_streams: LongLived,
    ignored_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    /// Of requests that are seldom what most are.
    special: Option<Box<Special>>,
}

/// What is known of a request that is not like most.
#[derive(Debug, Default)]
struct Special {
    /// Who may hold the transaction of an upgraded request.
    upgraded: Option<Arc<Held>>,
    possible_call: Option<PossibleCall>,
    preflight: Option<Preflight>,
}

impl AtHead {
    pub(super) fn new(config: &Config, request: RequestKind) -> Self {
        Self {
            request,
            server_timing: config.server_timing,
            event_streams: config.event_streams,
            ignored_statuses: config.ignored_statuses.clone(),
            special: None,
        }
    }

    pub(super) fn hold_upgraded(&mut self, held: Option<Arc<Held>>) {
        if held.is_some() {
            self.special().upgraded = held;
        }
    }

    pub(super) fn expect_grpc(&mut self, call: PossibleCall) {
        self.special().possible_call = Some(call);
    }

    pub(super) fn expect_cors_decision(&mut self, preflight: Option<Preflight>) {
        if preflight.is_some() {
            self.special().preflight = preflight;
        }
    }

    fn special(&mut self) -> &mut Special {
        self.special.get_or_insert_default()
    }

    /// Tells `guard` of the answer, and returns how many bytes of body will be sent, where that is known and somebody is
    /// waiting for them.
    pub(super) fn answered<B: Body>(&mut self, guard: &mut Guard, response: &mut Response<B>) -> Option<u64> {
        let transaction = guard.transaction()?;
        if transaction.is_sampled()
            && let Some(error) = response.extensions().get::<HandlerError>()
        {
            transaction.set_data("error.message", error.as_str());
        }
        self.append_server_timing(transaction, response);
        let is_grpc = self.special.as_mut().is_some_and(|special| special.answered(transaction, response));
        guard.answered(response.status(), self.ignores(response), is_grpc.then_some(response.headers()));
        self.stay_open(guard, response);
        let expected = self.expected_length(guard, response);
        if expected == Some(0) {
            guard.complete(None);
        }
        expected
    }

    fn append_server_timing<B>(&self, transaction: &Transaction, response: &mut Response<B>) {
        if self.server_timing
            && let Some(trace) = transaction.trace_headers()
        {
            server_timing::append(response.headers_mut(), &trace);
        }
    }

    fn ignores<B>(&self, response: &Response<B>) -> bool {
        let status = response.status().as_u16();
        self.ignored_statuses
            .as_deref()
            .is_some_and(|ranges| ranges.iter().any(|range| range.contains(&status)))
    }

    /// Ends or keeps the transaction of a request that stays open after its answer's head, by the layer's policy.
    fn stay_open<B: Body>(&mut self, guard: &mut Guard, response: &Response<B>) {
        // Whatever is not recorded looks the same either way.
        let Some(transaction) = guard.transaction().filter(|transaction| transaction.is_sampled()) else {
            return;
        };
        let Some(kind) = Kind::of(response, self.request) else { return };
        kind.mark(transaction, response.headers());
        if kind != Kind::EventStream {
            if let Some(held) = self.special.as_mut().and_then(|special| special.upgraded.take()) {
                guard.first_byte_left();
                held.hold(std::mem::take(guard));
            }
        } else if self.event_streams == LongLived::EndAtHead {
            guard.complete_and_stay_current();
        }
    }

    /// Hyper drops a body after as many bytes, without another poll that could tell its end.
    fn expected_length<B: Body>(&self, guard: &Guard, response: &Response<B>) -> Option<u64> {
        if !guard.is_open() {
            return None;
        }
        if self.request.sends_no_body(response.status(), response.body()) {
            return Some(0);
        }
        // The status of a gRPC call comes after the last byte.
        if guard.is_grpc() {
            return None;
        }
        // The body first, because the look into the headers is the dearer one.
        response.body().size_hint().exact().or_else(|| {
            let length = response.headers().get(header::CONTENT_LENGTH)?;
            length.to_str().ok()?.trim().parse().ok()
        })
    }
}

impl Special {
    /// The answer's head is there. Returns whether it is one of gRPC.
    #[cold]
    fn answered<B>(&mut self, transaction: &Transaction, response: &Response<B>) -> bool {
        if let Some(preflight) = self.preflight.take() {
            preflight.answered(response);
        }
        let call = self.possible_call.take();
        call.is_some_and(|call| call.answered(transaction, response.headers()))
    }
}
