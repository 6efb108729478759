//! Response future of the middleware.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use sentrace_core::SpanRef;
use sentrace_core::adapter::{Around, Inside};
use sentrace_protocol::SpanStatus;

use super::span::MiddlewareSpan;
use crate::panics;

/// A request that the middleware works on.
#[derive(Debug)]
pub(super) struct Work {
    /// The span that is current in the middleware: its own, then the one around it.
    pub(super) current: SpanRef,
    pub(super) span: MiddlewareSpan,
}

/// The span is current in the middleware's code. A panic there ends the span and continues.
impl Around for Work {
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
        panics::noticing(self, |work| work.current.around(run), |work| work.span.cancel())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.span.cancel();
    }
}

pin_project! {
    /// Response future of [`SentryMiddlewareSpan`](super::SentryMiddlewareSpan).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct MiddlewareSpanFuture<F> {
        #[pin]
        inside: Inside<F, Option<Work>>,
    }
}

impl<F> MiddlewareSpanFuture<F> {
    pub(super) fn new(inner: F, work: Option<Work>) -> Self {
        Self { inside: Inside::new(inner, work) }
    }
}

impl<F, B, E> Future for MiddlewareSpanFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut inside = self.project().inside;
        let output = ready!(inside.as_mut().poll(cx));
        if let Some(work) = inside.get_around() {
            work.span.end(match &output {
                Ok(response) => SpanStatus::from_http(response.status().as_u16()),
                Err(_) => SpanStatus::InternalError,
            });
        }
        Poll::Ready(output)
    }
}
