//! The response future.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use sentrace_core::adapter::Inside;
use sentrace_protocol::SpanStatus;

use super::body::ResponseBody;
use super::guard::Guard;
use super::response_head::OnResponseHead;

pin_project! {
    /// Response future of [`SentryTracing`](super::SentryTracing).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        // The handler's values are dropped inside the transaction, which then ends as `cancelled`.
        #[pin]
        inside: Inside<F, Guard>,
        on_head: OnResponseHead,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, guard: Guard, on_head: OnResponseHead) -> Self {
        Self { inside: Inside::new(inner, guard), on_head }
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
                let expected = this.on_head.record(&mut guard, &mut response);
                Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, guard, expected))))
            }
            Err(error) => {
                guard.fail(SpanStatus::InternalError, None);
                Poll::Ready(Err(error))
            }
        }
    }
}
