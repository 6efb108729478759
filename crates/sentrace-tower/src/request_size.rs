//! The size of request bodies without `Content-Length`.

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

use crate::server::TransactionHandle;

/// Records the size of request bodies that is not known in advance, as for chunked uploads, in `http.request.body.size`.
///
/// With `Content-Length` the [server layer](crate::SentryTracingLayer) records it. This layer is separate because it changes
/// the type of the body, which costs an allocation in axum. If the service does not read a body to its end, no size is
/// recorded.
///
/// ```
/// use axum::{Router, routing::post};
/// use sentrace_tower::{SentryRequestSizeLayer, SentryTracingLayer};
///
/// let app: Router = Router::new()
///     .route("/upload", post(async |file: String| file.len().to_string()))
///     .layer(SentryRequestSizeLayer::new())
///     .layer(SentryTracingLayer::new());
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[must_use = "a layer does nothing until it is applied"]
pub struct SentryRequestSizeLayer(());

impl SentryRequestSizeLayer {
    /// Creates the layer.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for SentryRequestSizeLayer {
    type Service = SentryRequestSize<S>;

    fn layer(&self, inner: S) -> SentryRequestSize<S> {
        SentryRequestSize { inner }
    }
}

/// A service that counts the bytes of request bodies; see [`SentryRequestSizeLayer`].
#[derive(Debug, Clone)]
pub struct SentryRequestSize<S> {
    inner: S,
}

impl<S> SentryRequestSize<S> {
    inner_accessors!(S);
}

impl<S, B> Service<Request<B>> for SentryRequestSize<S>
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
        let transaction = unknown.then(|| TransactionHandle::find(request.extensions()));
        let counting = transaction.filter(SpanRef::is_recording);
        self.inner.call(request.map(|inner| CountedBody { inner, counting, bytes: 0 }))
    }
}

pin_project! {
    /// Request body of [`SentryRequestSize`].
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
