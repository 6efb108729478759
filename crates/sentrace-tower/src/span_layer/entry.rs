//! The inner end of a middleware: the service inside, as the middleware sees it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Request;
use pin_project_lite::pin_project;
use sentrace_core::{SpanRef, current};
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
            return EntryFuture { inner: Some(self.inner.call(request)), inside: None };
        };
        passage.hand_on();
        let mut outside = passage.outside().clone();
        let inner = current::enter(&mut outside, || self.inner.call(request));
        EntryFuture { inner: Some(inner), inside: Some(Inside { outside, passage }) }
    }
}

#[derive(Debug)]
struct Inside {
    outside: SpanRef,
    passage: Passage,
}

impl Inside {
    fn run<R>(inside: &mut Option<Self>, run: impl FnOnce() -> R) -> R {
        match inside {
            Some(inside) => current::enter(&mut inside.outside, run),
            None => run(),
        }
    }
}

pin_project! {
    /// The answer of the service inside, in the making.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct EntryFuture<F> {
        #[pin]
        inner: Option<F>,
        inside: Option<Inside>,
    }

    impl<F> PinnedDrop for EntryFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            Inside::run(this.inside, || this.inner.set(None));
        }
    }
}

impl<F: Future> Future for EntryFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // Only `drop` takes the future out, and nobody polls after it.
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
        let output = ready!(Inside::run(this.inside, || inner.poll(cx)));
        if let Some(Inside { passage, .. }) = this.inside.take() {
            passage.come_back();
        }
        Poll::Ready(output)
    }
}
