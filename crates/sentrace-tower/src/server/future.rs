//! From the call to the answer's head.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use sentrace_core::adapter::Inside;
use sentrace_protocol::SpanStatus;

use super::at_head::AtHead;
use super::body::ResponseBody;
use super::guard::Guard;

pin_project! {
    /// The answer of [`SentryTracing`](super::SentryTracing), in the making.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        // What the handler holds ends inside the transaction, which ends as `cancelled` right after.
        #[pin]
        inside: Inside<F, Guard>,
        at_head: AtHead,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, guard: Guard, at_head: AtHead) -> Self {
        Self { inside: Inside::new(inner, guard), at_head }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let result = ready!(this.inside.as_mut().poll(cx));
        let guard = this.inside.get_around_mut();
        match result {
            Ok(mut response) => {
                let mut guard = std::mem::take(guard);
                let expected = this.at_head.answered(&mut guard, &mut response);
                Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, guard, expected))))
            }
            Err(error) => {
                guard.fail(SpanStatus::InternalError, None);
                Poll::Ready(Err(error))
            }
        }
    }
}
