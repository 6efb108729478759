//! From the call to the answer's head.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Method, Response, StatusCode, header};
use http_body::Body;
use pin_project_lite::pin_project;
use sentrace_protocol::SpanStatus;

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
        method: Method,
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
    pub(super) fn new(inner: F, guard: Guard, method: Method) -> Self {
        Self { inner: Some(inner), guard, method }
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
                guard.stay_open(&response, this.method);
                let expected = if !guard.is_open() {
                    None
                } else if has_no_body(&response, this.method) {
                    Some(0)
                } else if guard.is_grpc() {
                    // Its status comes after the last byte.
                    None
                } else {
                    expected_length(&response)
                };
                if expected == Some(0) {
                    guard.complete();
                }
                Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, guard, expected))))
            }
            Err(error) => {
                this.guard.fail(SpanStatus::InternalError);
                Poll::Ready(Err(error))
            }
        }
    }
}

fn has_no_body<B: Body>(response: &Response<B>, method: &Method) -> bool {
    let status = response.status();
    method == Method::HEAD
        || (method == Method::CONNECT && status.is_success())
        || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
        || response.body().is_end_stream()
}

/// How many bytes of body will be sent, where that is known. Hyper drops a body after as many bytes, without
/// another poll that could tell its end.
fn expected_length<B: Body>(response: &Response<B>) -> Option<u64> {
    let content_length = response.headers().get(header::CONTENT_LENGTH);
    content_length
        .and_then(|length| length.to_str().ok()?.trim().parse().ok())
        .or_else(|| response.body().size_hint().exact())
}
