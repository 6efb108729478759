//! The response body.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sentrace_core::adapter::{Around, Inside};
use sentrace_protocol::SpanStatus;

use super::guard::Guard;

pin_project! {
    /// Response body of [`SentryTracing`](super::SentryTracing). The transaction is current while the body is polled, and ends
    /// with it.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inside: Inside<B, Sending>,
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn new(inner: B, guard: Guard, expected: Option<u64>) -> Self {
        Self { inside: Inside::new(inner, Sending { guard, sent: 0, expected }) }
    }
}

/// A body without a transaction, for layers that create responses.
impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self { inside: Inside::default() }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut inside = self.project().inside;
        let polled = inside.as_mut().poll_frame(cx);
        if !inside.get_around().guard.is_open() {
            return polled;
        }
        let sending = inside.as_mut().get_around_mut();
        let ended = match &polled {
            Poll::Pending => false,
            Poll::Ready(None) => true,
            Poll::Ready(Some(Err(_))) => {
                sending.guard.fail(SpanStatus::InternalError, Some(sending.sent));
                false
            }
            Poll::Ready(Some(Ok(frame))) => sending.ends_with(frame) || inside.is_end_stream(),
        };
        inside.get_around_mut().polled(ended);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inside.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inside.size_hint()
    }
}

/// The transaction of a request whose response is being sent.
#[derive(Debug, Default)]
struct Sending {
    guard: Guard,
    sent: u64,
    expected: Option<u64>,
}

impl Sending {
    /// Counts `frame`. Returns `true` if it is known to be the last one.
    #[inline]
    fn ends_with<D: Buf>(&mut self, frame: &Frame<D>) -> bool {
        self.sent += frame.data_ref().map_or(0, |data| data.remaining() as u64);
        if let Some(trailers) = frame.trailers_ref() {
            self.guard.set_trailers(trailers);
        }
        self.expected.is_some_and(|expected| self.sent >= expected) || frame.is_trailers()
    }

    #[inline]
    fn polled(&mut self, ended: bool) {
        if ended {
            self.guard.complete(Some(self.sent));
        } else {
            self.guard.record_first_byte();
        }
    }
}

impl Around for Sending {
    #[inline]
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
        self.guard.around(run)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.guard.drop_body(self.sent);
    }
}
