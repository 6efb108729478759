//! From the call to the answer's head.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use super::body::HubBody;
use super::bound::BoundHub;
use super::failure::FailureReport;

pin_project! {
    /// The answer of [`SentryHub`](super::SentryHub), in the making.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct HubFuture<F> {
        #[pin]
        inner: Option<F>,
        hub: BoundHub,
        report: Option<Box<FailureReport>>,
    }

    impl<F> PinnedDrop for HubFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.hub.enter_to_drop(|| this.inner.set(None));
        }
    }
}

impl<F> HubFuture<F> {
    pub(super) fn new(inner: F, hub: BoundHub, report: Option<Box<FailureReport>>) -> Self {
        Self { inner: Some(inner), hub, report }
    }
}

impl<F, B, E> Future for HubFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: fmt::Debug + fmt::Display,
{
    type Output = Result<Response<HubBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let answer = this.hub.enter(|| {
            // Only `drop` and the end take the future out, and nobody polls after them.
            let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Pending };
            let answer = ready!(inner.poll(cx));
            // What the handler holds goes before the Hub goes on to the body.
            this.inner.set(None);
            if let Some((report, hub)) = this.report.as_ref().zip(this.hub.get()) {
                match &answer {
                    Ok(response) => report.answered(hub, response),
                    Err(error) => report.failed(hub, error),
                }
            }
            Poll::Ready(answer)
        });
        let answer = ready!(answer);
        let hub = this.hub.take();
        Poll::Ready(answer.map(|response| response.map(|body| HubBody::new(body, hub))))
    }
}
