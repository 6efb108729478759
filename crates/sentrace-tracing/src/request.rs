//! A `tracing` span for each request.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sentrace_core::adapter::{Around, Inside, inner_accessors};
use tower_layer::Layer;
use tower_service::Service;
use tracing::Span;

use crate::bound_span;

/// Opens a [`bound_span`] for each request, which is entered while the service and the body run.
///
/// Put it inside `SentryTracingLayer`, where the request's transaction is current; outside, it does nothing. The transaction
/// follows the request's `tracing` span: to queries of SQLite, which run on threads of sqlx, and to tasks that are spawned with
/// `in_current_span`. All log lines of the request have the ids of its trace.
///
/// ```
/// use sentrace_tower::SentryTracingLayer;
/// use sentrace_tracing::SentryRequestSpanLayer;
/// use tower::ServiceBuilder;
///
/// // A `ServiceBuilder` lists layers from the outside in; with axum's `Router::layer` the first one is the innermost.
/// let layers = ServiceBuilder::new().layer(SentryTracingLayer::new()).layer(SentryRequestSpanLayer::new());
/// # let _ = layers;
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[must_use = "a layer does nothing until it is applied"]
pub struct SentryRequestSpanLayer {}

impl SentryRequestSpanLayer {
    /// Creates the layer.
    pub fn new() -> Self {
        Self {}
    }
}

impl<S> Layer<S> for SentryRequestSpanLayer {
    type Service = SentryRequestSpan<S>;

    fn layer(&self, inner: S) -> SentryRequestSpan<S> {
        SentryRequestSpan { inner }
    }
}

/// A service that opens a `tracing` span for each request; see [`SentryRequestSpanLayer`].
#[derive(Debug, Clone)]
pub struct SentryRequestSpan<S> {
    inner: S,
}

impl<S> SentryRequestSpan<S> {
    inner_accessors!(S);
}

impl<S, Request, B> Service<Request> for SentryRequestSpan<S>
where
    S: Service<Request, Response = Response<B>>,
{
    type Response = Response<RequestSpanBody<B>>;
    type Error = S::Error;
    type Future = RequestSpanFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut span = Entered(bound_span());
        let inner = span.around(|| self.inner.call(request));
        RequestSpanFuture { inside: Inside::new(inner, span) }
    }
}

pin_project! {
    /// Response future of [`SentryRequestSpan`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct RequestSpanFuture<F> {
        #[pin]
        inside: Inside<F, Entered>,
    }
}

impl<F, B, E> Future for RequestSpanFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<RequestSpanBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inside = self.project().inside;
        let result = ready!(inside.as_mut().poll(cx));
        let body = |inner| RequestSpanBody { inside: Inside::new(inner, inside.get_around().clone()) };
        Poll::Ready(result.map(|response| response.map(body)))
    }
}

pin_project! {
    /// Response body of [`SentryRequestSpan`].
    #[derive(Debug)]
    pub struct RequestSpanBody<B> {
        #[pin]
        inside: Inside<B, Entered>,
    }
}

impl<B: Default> Default for RequestSpanBody<B> {
    fn default() -> Self {
        Self { inside: Inside::default() }
    }
}

impl<B: Body> Body for RequestSpanBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().inside.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inside.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inside.size_hint()
    }
}

/// The request's span, which is entered while the service runs.
#[derive(Debug, Clone)]
struct Entered(Span);

impl Around for Entered {
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
        self.0.in_scope(run)
    }
}

impl Default for Entered {
    fn default() -> Self {
        Self(Span::none())
    }
}
