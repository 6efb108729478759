//! The service that the layer makes.

use std::borrow::Cow;
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use http_body::Body;
use sentrace_core::adapter::{
    Around as _, Arrival, ArrivingRequest, IncomingTrace, inner_accessors, run_hook,
};
use sentrace_core::{Client, Transaction, TransactionOptions};
use sentrace_protocol::{TransactionSource, http_method};
use tower_service::Service;

use super::at_head::AtHead;
use super::body::ResponseBody;
use super::config::{Config, SharedConfig, Trust};
use super::future::ResponseFuture;
use super::guard::Guard;
use super::head::RequestHead;
use super::long_lived::{LongLived, RequestHold};
use super::mark;
use super::preflight::Preflight;
use super::request_kind::RequestKind;
use super::request_span::RequestSpan;
use crate::grpc::{self, PossibleCall, RpcMethod};

/// A service whose requests are transactions; see [`SentryTracingLayer`](super::SentryTracingLayer).
#[derive(Debug, Clone)]
pub struct SentryTracing<S> {
    inner: S,
    config: SharedConfig,
}

impl<S> SentryTracing<S> {
    pub(super) fn new(inner: S, config: SharedConfig) -> Self {
        Self { inner, config }
    }

    inner_accessors!(S);
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SentryTracing<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let mut at_head = AtHead::new(&self.config, RequestKind::of(&request));
        let mut guard = self.config.begin(&mut request, &mut at_head);
        let future = guard.around(|| self.inner.call(request));
        ResponseFuture::new(future, guard, at_head)
    }
}

impl Config {
    fn begin<B>(&self, request: &mut Request<B>, at_head: &mut AtHead) -> Guard {
        match &self.client {
            Some(client) => self.begin_with(client, request, at_head),
            // Without a client the request stays unmarked: a layer further in may have one.
            None => Client::with_current(|client| self.begin_with(client, request, at_head))
                .unwrap_or_else(Guard::none),
        }
    }

    fn begin_with<B>(&self, client: &Client, request: &mut Request<B>, at_head: &mut AtHead) -> Guard {
        let head = RequestHead::of(request).behind(&self.trusted_proxies);
        let Some(incoming) = self.arrive(client, &head, request) else { return Guard::none() };
        let rpc = RpcMethod::of(head.method(), head.headers(), head.uri().path());
        let transaction = self.open(client, &head, rpc.as_ref(), incoming);
        if let Some(rpc) = &rpc
            && transaction.is_sampled()
        {
            at_head.expect_grpc(PossibleCall::new(rpc, self.begins_as_grpc(&head)));
        }
        mark::mark(request.extensions_mut(), &transaction);
        if self.late_route && transaction.is_sampled() {
            RequestSpan::put(request, &transaction);
        }
        if self.upgrades == LongLived::Hold && transaction.is_sampled() {
            at_head.hold_upgraded(RequestHold::offer(request));
        }
        if request.method() == Method::OPTIONS {
            at_head.expect_cors_decision(Preflight::of(request, &self.preflights));
        }
        Guard::new(transaction)
    }

    /// What the request goes on from; `None` where it has its transaction.
    fn arrive<B>(
        &self,
        client: &Client,
        head: &RequestHead<'_>,
        request: &Request<B>,
    ) -> Option<IncomingTrace> {
        let marked = mark::is_marked(request.extensions());
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
                mark::note_nested();
                Some(incoming)
            }
            Arrival::AlreadyTraced => {
                mark::note_nested();
                None
            }
        }
    }

    /// Whether a request that may be a call of gRPC is named and recorded as one until its answer tells.
    fn begins_as_grpc(&self, head: &RequestHead<'_>) -> bool {
        head.matched_route().is_none() && !self.late_route
    }

    fn open(
        &self,
        client: &Client,
        head: &RequestHead<'_>,
        rpc: Option<&RpcMethod<'_>>,
        incoming: IncomingTrace,
    ) -> Transaction {
        let method = head.method().as_str();
        let rpc = rpc.filter(|_| self.begins_as_grpc(head));
        let named = self.namer.as_ref().and_then(|namer| run_hook(|| namer(head))?);
        let (method, name, source) = match (named, rpc, head.matched_route()) {
            (Some((name, source)), ..) => ("", Cow::Owned(name), source),
            // Whoever calls has chosen it; it is a route once the answer shows that it exists.
            (None, Some(rpc), _) => ("", Cow::Borrowed(rpc.name()), TransactionSource::Url),
            (None, None, Some(route)) => (method, Cow::Borrowed(route), TransactionSource::Route),
            // Until somebody tells the route; what matches none has a bounded name so.
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
        // A filter that panics has not asked for the request to be left out.
        by_method && self.filter.as_ref().is_none_or(|filter| run_hook(|| filter(head)).unwrap_or(true))
    }

    fn trusts(&self, head: &RequestHead<'_>) -> bool {
        match &self.trust {
            Trust::Always => true,
            Trust::Never => false,
            // What cannot be judged is not trusted.
            Trust::If(trust) => run_hook(|| trust(head)).unwrap_or(false),
        }
    }
}
