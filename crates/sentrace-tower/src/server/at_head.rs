//! What is done when the answer's head is there, as the layer's settings and the request have it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use http::{Response, header};
use http_body::Body;
use sentrace_core::Transaction;

use super::config::Config;
use super::guard::Guard;
use super::handler_error::HandlerError;
use super::long_lived::{Held, Kind, LongLived};
use super::request_kind::RequestKind;
use super::server_timing;

/// Apart from the [`Guard`], which moves on into the body and is small for that.
#[derive(Debug)]
pub(super) struct AtHead {
    request: RequestKind,
    server_timing: bool,
    event_streams: LongLived,
    ignored_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    /// Who may hold the transaction of an upgraded request.
    upgraded: Option<Arc<Held>>,
}

impl AtHead {
    pub(super) fn new(config: &Config, request: RequestKind) -> Self {
        Self {
            request,
            server_timing: config.server_timing,
            event_streams: config.event_streams,
            ignored_statuses: config.ignored_statuses.clone(),
            upgraded: None,
        }
    }

    pub(super) fn hold_upgraded(&mut self, held: Option<Arc<Held>>) {
        self.upgraded = held;
    }

    /// Tells `guard` of the answer, and returns how many bytes of body will be sent, where that is known and somebody is
    /// waiting for them.
    pub(super) fn answered<B: Body>(&mut self, guard: &mut Guard, response: &mut Response<B>) -> Option<u64> {
        let transaction = guard.transaction()?;
        if transaction.is_sampled()
            && let Some(error) = response.extensions().get::<HandlerError>()
        {
            error.record(transaction);
        }
        self.append_server_timing(transaction, response);
        guard.answered(response.status(), self.ignores(response), response.headers());
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
            if let Some(held) = self.upgraded.take() {
                guard.first_byte_left();
                held.hold(std::mem::replace(guard, Guard::none()));
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
