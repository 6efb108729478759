//! The inner end of a middleware: the service that it calls.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Request;
use pin_project_lite::pin_project;
use sentrace_core::SpanRef;
use sentrace_core::adapter::{Around, Inside, inner_accessors};
use tower_service::Service;

use super::readiness;
use super::span::MiddlewareSpan;

/// The service that the middleware calls; see [`SentryMiddlewareSpanLayer`](super::SentryMiddlewareSpanLayer).
#[derive(Debug, Clone)]
pub struct InnerService<S> {
    inner: S,
}

impl<S> InnerService<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }

    inner_accessors!(S);
}

impl<S, B> Service<Request<B>> for InnerService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = InnerFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let polled = self.inner.poll_ready(cx);
        readiness::note(polled.is_pending());
        polled
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // Removed, since a middleware further in has its own.
        let Some(middleware) = request.extensions_mut().remove::<MiddlewareSpan>() else {
            return InnerFuture { inside: Inside::new(self.inner.call(request), None) };
        };
        middleware.on_inner_call();
        let mut outer = Outer { span: middleware.outer().clone(), middleware };
        let inner = outer.around(|| self.inner.call(request));
        InnerFuture { inside: Inside::new(inner, Some(outer)) }
    }
}

/// The span around the middleware, which is current in the inner service.
#[derive(Debug)]
struct Outer {
    span: SpanRef,
    middleware: MiddlewareSpan,
}

impl Around for Outer {
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
        self.span.around(run)
    }
}

pin_project! {
    /// Response future of [`InnerService`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InnerFuture<F> {
        #[pin]
        inside: Inside<F, Option<Outer>>,
    }
}

impl<F: Future> Future for InnerFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut inside = self.project().inside;
        let output = ready!(inside.as_mut().poll(cx));
        if let Some(Outer { middleware, .. }) = inside.get_around_mut().take() {
            middleware.on_inner_response();
        }
        Poll::Ready(output)
    }
}
