//! The inner end of a middleware: the service inside, as the middleware sees it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Request;
use pin_project_lite::pin_project;
use sentrace_core::SpanRef;
use sentrace_core::adapter::{Around, Inside, inner_accessors};
use tower_service::Service;

use super::passage::Passage;
use super::readiness;

/// Where a middleware hands requests on; see [`SpanLayer`](super::SpanLayer).
#[derive(Debug, Clone)]
pub struct Entry<S> {
    inner: S,
}

impl<S> Entry<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }

    inner_accessors!(S);
}

impl<S, B> Service<Request<B>> for Entry<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = EntryFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let polled = self.inner.poll_ready(cx);
        readiness::note(polled.is_pending());
        polled
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // Taken off: a middleware further in has a passage of its own.
        let Some(passage) = request.extensions_mut().remove::<Passage>() else {
            return EntryFuture { inside: Inside::new(self.inner.call(request), None) };
        };
        passage.hand_on();
        let mut outside = Outside { span: passage.outside().clone(), passage };
        let inner = outside.around(|| self.inner.call(request));
        EntryFuture { inside: Inside::new(inner, Some(outside)) }
    }
}

/// What was current outside of the middleware, and is so again in the service inside.
#[derive(Debug)]
struct Outside {
    span: SpanRef,
    passage: Passage,
}

impl Around for Outside {
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
        self.span.around(run)
    }
}

pin_project! {
    /// The answer of the service inside, in the making.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct EntryFuture<F> {
        #[pin]
        inside: Inside<F, Option<Outside>>,
    }
}

impl<F: Future> Future for EntryFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut inside = self.project().inside;
        let output = ready!(inside.as_mut().poll(cx));
        if let Some(Outside { passage, .. }) = inside.get_around_mut().take() {
            passage.come_back();
        }
        Poll::Ready(output)
    }
}
