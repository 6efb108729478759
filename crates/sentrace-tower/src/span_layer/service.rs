//! The outer end of a middleware.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use http::{Request, Response};
use sentrace_core::adapter::{Around as _, CallSpan, inner_accessors};
use sentrace_core::{SpanRef, current_span};
use tower_service::Service;

use super::future::{SpanFuture, Work};
use super::passage::{Passage, start};
use super::readiness;
use crate::misplaced::warn_if_outside;

/// A middleware with a span for its share of each request; see [`SpanLayer`](super::SpanLayer).
#[derive(Debug)]
pub struct SpanService<S> {
    inner: S,
    name: Arc<str>,
    way_back: bool,
    /// The span of a request that waits until the middleware is ready for it.
    waiting: Option<CallSpan>,
}

impl<S> SpanService<S> {
    pub(super) fn new(inner: S, name: Arc<str>, way_back: bool) -> Self {
        Self { inner, name, way_back, waiting: None }
    }

    inner_accessors!(S);

    /// The request's span: of its waiting, or new. A waiting of somebody else is over, as nobody's.
    fn span(&mut self, outside: &SpanRef) -> Option<CallSpan> {
        let waited = self.waiting.take().filter(|span| span.trace_id() == outside.trace_id());
        waited.or_else(|| start(outside, &self.name))
    }
}

impl<S: Clone> Clone for SpanService<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.name), self.way_back)
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SpanService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = SpanFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let (polled, waits) = readiness::poll(|| self.inner.poll_ready(cx));
        if waits && self.waiting.is_none() {
            self.waiting = start(&current_span(), &self.name);
        }
        polled
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        static WARNED: AtomicBool = AtomicBool::new(false);
        let outside = current_span();
        warn_if_outside(&outside, "SpanLayer", &WARNED);
        let Some(span) = self.span(&outside) else { return SpanFuture::new(self.inner.call(request), None) };
        let current = SpanRef::clone(&span);
        let passage = Passage::new(outside, span, Arc::clone(&self.name), self.way_back);
        request.extensions_mut().insert(passage.clone());
        let mut work = Work { current, passage };
        let future = work.around(|| self.inner.call(request));
        SpanFuture::new(future, Some(work))
    }
}
