//! How large a request was that does not say so in its head.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http::Request;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sentrace_core::SpanRef;
use sentrace_core::adapter::inner_accessors;
use tower_layer::Layer;
use tower_service::Service;

use super::request_span::RequestSpan;

/// Counts the bytes of request bodies whose size is not known before they have come, as those of chunked uploads, and
/// records them as `http.request.body.size`.
///
/// With `Content-Length` the [server layer](crate::SentryTracingLayer) knows the size by itself. This layer is apart because
/// it changes the type of the body, which costs an allocation in axum. A body that the service does not read to its end
/// has no size.
///
/// ```
/// use axum::{Router, routing::post};
/// use sentrace_tower::{RequestSizeLayer, SentryTracingLayer};
///
/// let app: Router = Router::new()
///     .route("/upload", post(async |file: String| file.len().to_string()))
///     .layer(RequestSizeLayer::new())
///     .layer(SentryTracingLayer::new());
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[must_use = "a layer does nothing until it is applied"]
pub struct RequestSizeLayer(());

impl RequestSizeLayer {
    /// The layer.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for RequestSizeLayer {
    type Service = RequestSize<S>;

    fn layer(&self, inner: S) -> RequestSize<S> {
        RequestSize { inner }
    }
}

/// A service whose requests are counted; see [`RequestSizeLayer`].
#[derive(Debug, Clone)]
pub struct RequestSize<S> {
    inner: S,
}

impl<S> RequestSize<S> {
    inner_accessors!(S);
}

impl<S, B> Service<Request<B>> for RequestSize<S>
where
    S: Service<Request<CountedBody<B>>>,
    B: Body,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let unknown = request.body().size_hint().exact().is_none();
        let transaction = unknown.then(|| RequestSpan::of(request.extensions()));
        let counting = transaction.filter(SpanRef::is_recording);
        self.inner.call(request.map(|inner| CountedBody { inner, counting, bytes: 0 }))
    }
}

pin_project! {
    /// A request's body that is counted while it is read.
    #[derive(Debug)]
    pub struct CountedBody<B> {
        #[pin]
        inner: B,
        counting: Option<SpanRef>,
        bytes: u64,
    }
}

impl<B> CountedBody<B> {
    inner_accessors!(B);
}

impl<B: Default> Default for CountedBody<B> {
    fn default() -> Self {
        Self { inner: B::default(), counting: None, bytes: 0 }
    }
}

impl<B: Body> Body for CountedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        if this.counting.is_some() {
            let ended = match &frame {
                None => true,
                Some(Ok(frame)) => {
                    let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                    *this.bytes = this.bytes.saturating_add(bytes);
                    frame.is_trailers() || this.inner.is_end_stream()
                }
                Some(Err(_)) => false,
            };
            if ended && let Some(transaction) = this.counting.take() {
                transaction.set_data("http.request.body.size", *this.bytes);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
