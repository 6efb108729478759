//! The response future.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use sentrace_core::adapter::Inside;

use super::body::HubBody;
use super::bound::BoundHub;
use super::failure::FailureReport;

pin_project! {
    /// Response future of [`SentryHub`](super::SentryHub).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct HubFuture<F> {
        #[pin]
        inside: Inside<F, BoundHub>,
        report: Option<Box<FailureReport>>,
    }
}

impl<F> HubFuture<F> {
    pub(super) fn new(inner: F, hub: BoundHub, report: Option<Box<FailureReport>>) -> Self {
        Self { inside: Inside::new(inner, hub), report }
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
        let result = ready!(this.inside.as_mut().poll(cx));
        // The handler's values are dropped before the Hub moves on to the body.
        this.inside.as_mut().drop_inner();
        let hub = std::mem::take(this.inside.get_around_mut());
        if let Some((report, current)) = this.report.as_ref().zip(hub.get()) {
            hub.enter(|| match &result {
                Ok(response) => report.capture_response(current, response),
                Err(error) => report.capture_error(current, error),
            });
        }
        Poll::Ready(result.map(|response| response.map(|body| HubBody::new(body, hub))))
    }
}
