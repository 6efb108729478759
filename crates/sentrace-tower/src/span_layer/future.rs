//! The middleware's answer, in the making.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use sentrace_core::SpanRef;
use sentrace_core::adapter::{Around, Inside, current};
use sentrace_protocol::SpanStatus;

use super::passage::Passage;
use crate::panics;

/// What the outer end of a middleware keeps while it works.
#[derive(Debug)]
pub(super) struct Work {
    /// What is current in the middleware: its span, then what was outside.
    pub(super) current: SpanRef,
    pub(super) passage: Passage,
}

/// The span is current in code of the middleware. A panic in it ends the span and goes on.
impl Around for Work {
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
        let enter = |work: &mut Self| current::enter(&mut work.current, run);
        panics::noticing(self, enter, |work| work.passage.abandon())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.passage.abandon();
    }
}

pin_project! {
    /// The answer of a [`SpanService`](super::SpanService), in the making.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct SpanFuture<F> {
        #[pin]
        inside: Inside<F, Option<Work>>,
    }
}

impl<F> SpanFuture<F> {
    pub(super) fn new(inner: F, work: Option<Work>) -> Self {
        Self { inside: Inside::new(inner, work) }
    }
}

impl<F, B, E> Future for SpanFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut inside = self.project().inside;
        let output = ready!(inside.as_mut().poll(cx));
        if let Some(work) = inside.get_around() {
            work.passage.end(match &output {
                Ok(response) => SpanStatus::from_http(response.status().as_u16()),
                Err(_) => SpanStatus::InternalError,
            });
        }
        Poll::Ready(output)
    }
}
