//! From the head of a request to its transaction.

use std::borrow::Cow;

use http::{Method, Request};
use sentrace_core::adapter::{Arrival, ArrivingRequest, IncomingTrace, run_hook};
use sentrace_core::{Client, Transaction, TransactionOptions};
use sentrace_protocol::{TransactionSource, http_method};

use super::config::{Config, Trust};
use super::duplicate;
use super::guard::Guard;
use super::head::RequestHead;
use super::long_lived::{LongLived, UpgradeGuard};
use super::preflight::Preflight;
use super::request_handle::TransactionHandle;
use super::response_head::OnResponseHead;
use crate::grpc::{self, PossibleCall, RpcMethod};

impl Config {
    pub(super) fn open<B>(&self, request: &mut Request<B>, on_head: &mut OnResponseHead) -> Guard {
        match &self.client {
            Some(client) => self.open_with(client, request, on_head),
            // Without a client the request is not marked: a layer further in may have one.
            None => Client::with_current(|client| self.open_with(client, request, on_head))
                .unwrap_or_else(Guard::none),
        }
    }

    fn open_with<B>(&self, client: &Client, request: &mut Request<B>, on_head: &mut OnResponseHead) -> Guard {
        let head = RequestHead::of(request).behind(&self.trusted_proxies);
        let Some(incoming) = self.arrive(client, &head, request) else { return Guard::none() };
        let rpc = RpcMethod::of(head.method(), head.headers(), head.uri().path());
        let transaction = self.start(client, &head, rpc.as_ref(), incoming);
        if let Some(rpc) = &rpc
            && transaction.is_sampled()
        {
            on_head.expect_grpc(PossibleCall::new(rpc, self.begins_as_grpc(&head)));
        }
        duplicate::mark(request.extensions_mut(), &transaction);
        if self.late_route && transaction.is_sampled() {
            TransactionHandle::attach(request, &transaction);
        }
        if self.upgrades == LongLived::Hold && transaction.is_sampled() {
            on_head.hold_upgrade(UpgradeGuard::attach(request));
        }
        if request.method() == Method::OPTIONS {
            on_head.expect_cors_decision(Preflight::of(request, &self.preflights));
        }
        Guard::new(transaction)
    }

    /// Reads the incoming trace. Returns `None` if the request already has a transaction.
    fn arrive<B>(
        &self,
        client: &Client,
        head: &RequestHead<'_>,
        request: &Request<B>,
    ) -> Option<IncomingTrace> {
        let marked = duplicate::is_marked(request.extensions());
        let headers = head.headers();
        let incoming =
            if self.trusts(head) { client.extract(headers) } else { client.extract_untrusted(headers) };
        let arriving = || ArrivingRequest {
            method: head.method().as_str(),
            original_path: head.uri().path(),
            path: request.uri().path(),
        };
        match incoming.classify(marked, arriving) {
            Arrival::External(incoming) => Some(incoming),
            Arrival::Internal(incoming) => {
                duplicate::note_nested();
                Some(incoming)
            }
            Arrival::AlreadyTraced => {
                duplicate::note_nested();
                None
            }
        }
    }

    /// Returns `true` if a request that may be a gRPC call is recorded as one until its response shows what it is.
    fn begins_as_grpc(&self, head: &RequestHead<'_>) -> bool {
        head.matched_route().is_none() && !self.late_route
    }

    /// Starts the transaction.
    fn start(
        &self,
        client: &Client,
        head: &RequestHead<'_>,
        rpc: Option<&RpcMethod<'_>>,
        incoming: IncomingTrace,
    ) -> Transaction {
        let method = head.method().as_str();
        let rpc = rpc.filter(|_| self.begins_as_grpc(head));
        let named = self.namer.as_ref().and_then(|namer| run_hook(|| namer(head))?);
        let derives_name = named.is_none();
        let (method, name, source) = match (named, rpc, head.matched_route()) {
            (Some((name, source)), ..) => ("", Cow::Owned(name), source),
            // The client has chosen this name; it becomes a route once the response shows that the method exists.
            (None, Some(rpc), _) => ("", Cow::Borrowed(rpc.name()), TransactionSource::Url),
            (None, None, Some(route)) => (method, Cow::Borrowed(route), TransactionSource::Route),
            // Until the route is known; without one, the number of names stays bounded.
            (None, None, None) if self.late_route => {
                ("", Cow::Borrowed(http_method::in_names(method)), TransactionSource::Url)
            }
            (None, None, None) => (method, Cow::Borrowed(head.uri().path()), TransactionSource::Url),
        };
        let (op, origin) = match rpc {
            Some(_) => (grpc::OP, grpc::ORIGIN),
            None => ("http.server", "auto.http.tower"),
        };
        let options = TransactionOptions::new("", op)
            .http_name(method, &name)
            .source(source)
            .origin(origin)
            .derives_name(derives_name)
            .recorded(self.records(head))
            .sample_rate(self.sample_rate)
            .sampler(self.sampler.as_ref())
            .request(head)
            .data_collection(&self.collection);
        client.start_transaction_from(incoming, &options)
    }

    fn records(&self, head: &RequestHead<'_>) -> bool {
        let by_method = match *head.method() {
            Method::OPTIONS => self.options_requests,
            Method::HEAD => self.head_requests,
            _ => true,
        };
        // A request is recorded if its filter panics.
        by_method && self.filter.as_ref().is_none_or(|filter| run_hook(|| filter(head)).unwrap_or(true))
    }

    fn trusts(&self, head: &RequestHead<'_>) -> bool {
        match &self.trust {
            Trust::Always => true,
            Trust::Never => false,
            // A request is not trusted if its hook panics.
            Trust::If(trust) => run_hook(|| trust(head)).unwrap_or(false),
        }
    }
}
