//! The response body of a call, with whose end the spans of gRPC calls end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sentrace_core::adapter::inner_accessors;

use super::call::Call;
use crate::grpc::GrpcStatus;

pin_project! {
    /// Response body of [`SentryClient`](super::SentryClient). For gRPC calls it ends the span.
    #[derive(Debug)]
    pub struct ClientBody<B> {
        #[pin]
        inner: B,
        call: Option<Call>,
    }
}

impl<B> ClientBody<B> {
    pub(super) fn new(inner: B, call: Option<Call>) -> Self {
        Self { inner, call }
    }

    inner_accessors!(B);
}

impl<B: Default> Default for ClientBody<B> {
    fn default() -> Self {
        Self::new(B::default(), None)
    }
}

impl<B: Body> Body for ClientBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let polled = ready!(this.inner.poll_frame(cx));
        match &polled {
            None => {
                if let Some(call) = this.call.take() {
                    call.finish(GrpcStatus::MISSING);
                }
            }
            Some(Err(_)) => {
                if let Some(call) = this.call.take() {
                    call.fail::<B::Error>();
                }
            }
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref()
                    && let Some(call) = this.call.take()
                {
                    call.finish(GrpcStatus::read(trailers).unwrap_or(GrpcStatus::MISSING));
                }
            }
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
