//! What the layer does when the head of the response is there.

use std::ops::RangeInclusive;
use std::sync::Arc;

use http::{Response, header};
use http_body::Body;
use sentrace_core::adapter::HandlerError;
use sentrace_core::{DataCollection, Transaction};

use super::config::Config;
use super::guard::Guard;
use super::long_lived::{Kind, LongLived, UpgradeSlot};
use super::method_semantics::MethodSemantics;
use super::preflight::Preflight;
use super::server_timing;
use crate::grpc::PossibleCall;

/// The settings and facts of the request that this needs. They are not in the [`Guard`], which moves into the body and
/// should be small.
#[derive(Debug)]
pub(super) struct OnResponseHead {
    method: MethodSemantics,
    server_timing: bool,
    event_streams: LongLived,
    ignored_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    /// Set for rare kinds of requests only.
    special: Option<Box<Special>>,
}

#[derive(Debug, Default)]
struct Special {
    upgrade: Option<Arc<UpgradeSlot>>,
    possible_call: Option<PossibleCall>,
    preflight: Option<Preflight>,
    collection: Option<DataCollection>,
}

impl OnResponseHead {
    pub(super) fn new(config: &Config, method: MethodSemantics) -> Self {
        let mut this = Self {
            method,
            server_timing: config.server_timing,
            event_streams: config.event_streams,
            ignored_statuses: config.ignored_statuses.clone(),
            special: None,
        };
        if config.collection.records_response_headers() {
            this.special().collection = Some(config.collection.clone());
        }
        this
    }

    pub(super) fn hold_upgrade(&mut self, slot: Option<Arc<UpgradeSlot>>) {
        if slot.is_some() {
            self.special().upgrade = slot;
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

    /// Records the head of the response. Returns the length of the body, if it is known and the transaction is still open.
    pub(super) fn record<B: Body>(&mut self, guard: &mut Guard, response: &mut Response<B>) -> Option<u64> {
        let transaction = guard.transaction()?;
        if transaction.is_sampled()
            && let Some(error) = response.extensions().get::<HandlerError>()
        {
            transaction.set_data("error.message", error.as_str());
        }
        self.append_server_timing(transaction, response);
        let is_grpc = self.special.as_mut().is_some_and(|special| special.record(transaction, response));
        guard.set_response(response.status(), self.ignores(response), is_grpc.then_some(response.headers()));
        self.apply_long_lived_policy(guard, response);
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

    fn apply_long_lived_policy<B: Body>(&mut self, guard: &mut Guard, response: &Response<B>) {
        // If nothing is recorded, the policy makes no difference.
        let Some(transaction) = guard.transaction().filter(|transaction| transaction.is_sampled()) else {
            return;
        };
        let Some(kind) = Kind::of(response, self.method) else { return };
        kind.record(transaction, response.headers());
        if kind != Kind::EventStream {
            if let Some(slot) = self.special.as_mut().and_then(|special| special.upgrade.take()) {
                guard.record_first_byte();
                slot.fill(std::mem::take(guard));
            }
        } else if self.event_streams == LongLived::EndAtHead {
            guard.complete_and_stay_current();
        }
    }

    /// Hyper drops a body after this many bytes, without another poll that would show its end.
    fn expected_length<B: Body>(&self, guard: &Guard, response: &Response<B>) -> Option<u64> {
        if !guard.is_open() {
            return None;
        }
        if self.method.sends_no_body(response.status(), response.body()) {
            return Some(0);
        }
        // The status of a gRPC call follows the last byte.
        if guard.is_grpc() {
            return None;
        }
        // The body first, because reading the headers costs more.
        response.body().size_hint().exact().or_else(|| {
            let length = response.headers().get(header::CONTENT_LENGTH)?;
            length.to_str().ok()?.trim().parse().ok()
        })
    }
}

impl Special {
    /// Returns `true` if the response is one of gRPC.
    #[cold]
    fn record<B>(&mut self, transaction: &Transaction, response: &Response<B>) -> bool {
        if let Some(preflight) = self.preflight.take() {
            preflight.check(response);
        }
        if let Some(collection) = self.collection.take() {
            transaction.record_response_headers(&collection, |each| {
                response.headers().iter().for_each(|(name, value)| each(name.as_str(), value.as_bytes()));
            });
        }
        let call = self.possible_call.take();
        call.is_some_and(|call| call.record_response(transaction, response.headers()))
    }
}
