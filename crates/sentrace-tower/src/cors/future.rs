//! The response future, which adds the names to the response.

use std::fmt;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::Response;
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use pin_project_lite::pin_project;

use super::headers::{allow, sentry_headers, sentry_headers_with_traceparent};
use super::misplacement::Watch;

pin_project! {
    /// Response future of [`SentryCors`](super::SentryCors).
    pub struct SentryCorsFuture<F> {
        #[pin]
        inner: F,
        role: Role,
    }
}

impl<F> SentryCorsFuture<F> {
    pub(super) fn new(inner: F, role: Role) -> Self {
        Self { inner, role }
    }
}

impl<F> fmt::Debug for SentryCorsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentryCorsFuture").finish_non_exhaustive()
    }
}

impl<F, B, E> Future for SentryCorsFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        this.role.apply(&mut response);
        Poll::Ready(Ok(response))
    }
}

/// What the layer does with the response to a request.
pub(super) enum Role {
    /// Adds the names if the origin is allowed.
    Preflight { traceparent: bool, path: Option<NonZeroU64>, watch: Arc<Watch> },
    /// Checks whether the layer is misplaced.
    CrossOrigin { watch: Arc<Watch> },
    /// Nothing.
    Other,
}

impl Role {
    fn apply<B>(&self, response: &mut Response<B>) {
        match self {
            Self::Preflight { traceparent, path, watch } => {
                watch.preflight_answered(*path, response);
                if is_allowed(response) {
                    let headers = response.headers_mut();
                    if *traceparent {
                        allow(headers, &sentry_headers_with_traceparent());
                    } else {
                        allow(headers, &sentry_headers());
                    }
                }
            }
            Self::CrossOrigin { watch } => watch.request_answered(response),
            Self::Other => {}
        }
    }
}

/// The browser compares the origin: a response that depended on it would need a `Vary`.
fn is_allowed<B>(response: &Response<B>) -> bool {
    response.status().is_success() && response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
}
