//! The future: waits for the answer from inside and adds the names to a granted preflight.

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
    /// The answer of [`SentryCors`](super::SentryCors).
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
        let mut answer = ready!(this.inner.poll(cx))?;
        this.role.apply(&mut answer);
        Poll::Ready(Ok(answer))
    }
}

/// What a request is to the layer.
pub(super) enum Role {
    /// Its answer gets the names, if it is a grant.
    Preflight { traceparent: bool, path: Option<NonZeroU64>, watch: Arc<Watch> },
    /// Its answer may show that the layer is misplaced.
    CrossOrigin { watch: Arc<Watch> },
    /// Nothing.
    Other,
}

impl Role {
    fn apply<B>(&self, answer: &mut Response<B>) {
        match self {
            Self::Preflight { traceparent, path, watch } => {
                watch.preflight_answered(*path, answer);
                if is_grant(answer) {
                    let headers = answer.headers_mut();
                    if *traceparent {
                        allow(headers, &sentry_headers_with_traceparent());
                    } else {
                        allow(headers, &sentry_headers());
                    }
                }
            }
            Self::CrossOrigin { watch } => watch.request_answered(answer),
            Self::Other => {}
        }
    }
}

/// Which origin is granted is the browser's to compare: an answer that depended on it would need a `Vary`.
fn is_grant<B>(answer: &Response<B>) -> bool {
    answer.status().is_success() && answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
}
