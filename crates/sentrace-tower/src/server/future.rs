//! From the call to the answer's head.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Response, header};
use http_body::Body;
use pin_project_lite::pin_project;
use sentrace_protocol::SpanStatus;

use super::body::ResponseBody;
use super::guard::Guard;
use super::request_kind::RequestKind;

pin_project! {
    /// The answer of [`SentryTracing`](super::SentryTracing), in the making.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Option<F>,
        guard: Guard,
        request: RequestKind,
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
    pub(super) fn new(inner: F, guard: Guard, request: RequestKind) -> Self {
        Self { inner: Some(inner), guard, request }
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
                guard.respond(&mut response);
                guard.stay_open(&response, *this.request);
                let expected = if !guard.is_open() {
                    None
                } else if this.request.sends_no_body(response.status(), response.body()) {
                    Some(0)
                } else if guard.is_grpc() {
                    // Its status comes after the last byte.
                    None
                } else {
                    expected_length(&response)
                };
                if expected == Some(0) {
                    guard.complete(None);
                }
                Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, guard, expected))))
            }
            Err(error) => {
                this.guard.fail(SpanStatus::InternalError, None);
                Poll::Ready(Err(error))
            }
        }
    }
}

/// How many bytes of body will be sent, where that is known. Hyper drops a body after as many bytes, without
/// another poll that could tell its end.
fn expected_length<B: Body>(response: &Response<B>) -> Option<u64> {
    // The body first, because the look into the headers is the dearer one.
    response.body().size_hint().exact().or_else(|| {
        let length = response.headers().get(header::CONTENT_LENGTH)?;
        length.to_str().ok()?.trim().parse().ok()
    })
}
