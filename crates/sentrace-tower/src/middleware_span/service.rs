//! The outer end of a middleware.

use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use http::{Request, Response};
use sentrace_core::adapter::{Around as _, CallSpan, inner_accessors};
use sentrace_core::{SpanRef, current_span};
use tower_service::Service;

use super::config::Config;
use super::future::{MiddlewareSpanFuture, Work};
use super::readiness;
use super::span::{MiddlewareSpan, start};
use crate::misplaced::warn_if_outside;

/// A middleware with a span for each request; see [`SentryMiddlewareSpanLayer`](super::SentryMiddlewareSpanLayer).
#[derive(Debug)]
pub struct SentryMiddlewareSpan<S> {
    inner: S,
    config: Config,
    /// The span of a request that waits until the middleware is ready.
    waiting: Option<CallSpan>,
}

impl<S> SentryMiddlewareSpan<S> {
    pub(super) fn new(inner: S, config: Config) -> Self {
        Self { inner, config, waiting: None }
    }

    inner_accessors!(S);

    /// Returns the span in which this request has waited, or a new one.
    fn span(&mut self, outer: &SpanRef) -> Option<CallSpan> {
        let waited = self.waiting.take().filter(|span| span.trace_id() == outer.trace_id());
        waited.or_else(|| start(outer, &self.config.name))
    }
}

impl<S: Clone> Clone for SentryMiddlewareSpan<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.config.clone())
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SentryMiddlewareSpan<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = MiddlewareSpanFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let (polled, is_waiting) = readiness::poll(|| self.inner.poll_ready(cx));
        if is_waiting && self.waiting.is_none() {
            self.waiting = start(&current_span(), &self.config.name);
        }
        polled
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        static WARNED: AtomicBool = AtomicBool::new(false);
        let outer = current_span();
        warn_if_outside(&outer, "SentryMiddlewareSpanLayer", &WARNED);
        let Some(span) = self.span(&outer) else {
            return MiddlewareSpanFuture::new(self.inner.call(request), None);
        };
        let current = SpanRef::clone(&span);
        let span = MiddlewareSpan::new(outer, span, self.config.clone());
        request.extensions_mut().insert(span.clone());
        let mut work = Work { current, span };
        let future = work.around(|| self.inner.call(request));
        MiddlewareSpanFuture::new(future, Some(work))
    }
}
