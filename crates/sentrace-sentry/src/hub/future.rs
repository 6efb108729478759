//! From the call to the answer's head.

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
    /// The answer of [`SentryHub`](super::SentryHub), in the making.
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
        let answer = ready!(this.inside.as_mut().poll(cx));
        // What the handler holds goes before the Hub goes on to the body.
        this.inside.as_mut().drop_inner();
        let hub = std::mem::take(this.inside.get_around_mut());
        if let Some((report, current)) = this.report.as_ref().zip(hub.get()) {
            hub.enter(|| match &answer {
                Ok(response) => report.answered(current, response),
                Err(error) => report.failed(current, error),
            });
        }
        Poll::Ready(answer.map(|response| response.map(|body| HubBody::new(body, hub))))
    }
}
