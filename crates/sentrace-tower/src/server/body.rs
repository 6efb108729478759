//! From the answer's head to its last byte.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sentrace_protocol::SpanStatus;

use super::guard::Guard;

pin_project! {
    /// A body that is sent with its request's transaction current, and ends it.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: Option<B>,
        guard: Guard,
        sent: u64,
        expected: Option<u64>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.guard.enter(|| this.inner.set(None));
            this.guard.dropped(*this.sent);
        }
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn new(inner: B, guard: Guard, expected: Option<u64>) -> Self {
        Self { inner: Some(inner), guard, sent: 0, expected }
    }
}

/// A body of no request, for layers that answer by themselves.
impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::new(B::default(), Guard::none(), None)
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let polled = this.guard.enter(|| inner.as_mut().poll_frame(cx));
        if !this.guard.is_open() {
            return polled;
        }
        let ended = match &polled {
            Poll::Pending => false,
            Poll::Ready(None) => true,
            Poll::Ready(Some(Err(_))) => {
                this.guard.fail(SpanStatus::InternalError, Some(*this.sent));
                false
            }
            Poll::Ready(Some(Ok(frame))) => {
                *this.sent += frame.data_ref().map_or(0, |data| data.remaining() as u64);
                if let Some(trailers) = frame.trailers_ref() {
                    this.guard.trailers(trailers);
                }
                let all_sent = this.expected.is_some_and(|expected| *this.sent >= expected);
                all_sent || frame.is_trailers() || inner.is_end_stream()
            }
        };
        if ended {
            this.guard.complete(Some(*this.sent));
        } else {
            this.guard.first_byte_left();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
