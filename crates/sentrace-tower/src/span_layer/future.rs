//! The middleware's answer, in the making.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use sentrace_core::{SpanRef, current};
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

impl Work {
    /// Runs code of the middleware. A panic in it ends its span and goes on.
    pub(super) fn run<R>(&mut self, run: impl FnOnce() -> R) -> R {
        let enter = |work: &mut Self| current::enter(&mut work.current, run);
        panics::noticing(self, enter, |work| work.passage.abandon())
    }
}

pin_project! {
    /// The answer of a [`SpanService`](super::SpanService), in the making.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct SpanFuture<F> {
        #[pin]
        inner: Option<F>,
        work: Option<Work>,
    }

    impl<F> PinnedDrop for SpanFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            match this.work {
                Some(work) => {
                    work.run(|| this.inner.set(None));
                    work.passage.abandon();
                }
                None => this.inner.set(None),
            }
        }
    }
}

impl<F> SpanFuture<F> {
    pub(super) fn new(inner: F, work: Option<Work>) -> Self {
        Self { inner: Some(inner), work }
    }
}

impl<F, B, E> Future for SpanFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // Only `drop` takes the future out, and nobody polls after it.
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
        let Some(work) = this.work else { return inner.poll(cx) };
        let output = ready!(work.run(|| inner.poll(cx)));
        work.passage.end(match &output {
            Ok(response) => SpanStatus::from_http(response.status().as_u16()),
            Err(_) => SpanStatus::InternalError,
        });
        Poll::Ready(output)
    }
}
