//! From the call to the answer's head.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use sentrace_protocol::SpanStatus;

use super::at_head::AtHead;
use super::body::ResponseBody;
use super::guard::Guard;

pin_project! {
    /// The answer of [`SentryTracing`](super::SentryTracing), in the making.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Option<F>,
        guard: Guard,
        at_head: AtHead,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // What the handler holds ends inside the transaction, which ends as `cancelled` right after.
            this.guard.enter(|| this.inner.set(None));
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, guard: Guard, at_head: AtHead) -> Self {
        Self { inner: Some(inner), guard, at_head }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
        match ready!(this.guard.enter(|| inner.poll(cx))) {
            Ok(mut response) => {
                let mut guard = std::mem::replace(this.guard, Guard::none());
                let expected = this.at_head.answered(&mut guard, &mut response);
                Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, guard, expected))))
            }
            Err(error) => {
                this.guard.fail(SpanStatus::InternalError, None);
                Poll::Ready(Err(error))
            }
        }
    }
}
