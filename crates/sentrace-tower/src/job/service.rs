//! The service of the layer.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use sentrace_core::adapter::{Around as _, inner_accessors};
use tower_service::Service;

use super::config::Config;
use super::future::{JobFuture, Open};
use super::head::JobHead;

/// A worker that records a transaction for each job; see [`SentryJobLayer`](super::SentryJobLayer).
pub struct SentryJob<S, F> {
    inner: S,
    config: Arc<Config<F>>,
}

impl<S, F> SentryJob<S, F> {
    pub(super) fn new(inner: S, config: Arc<Config<F>>) -> Self {
        Self { inner, config }
    }

    inner_accessors!(S);
}

impl<S, F, Job> Service<Job> for SentryJob<S, F>
where
    S: Service<Job>,
    F: Fn(&Job) -> JobHead,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = JobFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, job: Job) -> Self::Future {
        let mut open = Open::new(self.config.start(&job));
        let inner = open.around(|| self.inner.call(job));
        JobFuture::new(inner, open)
    }
}

impl<S: Clone, F> Clone for SentryJob<S, F> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), config: Arc::clone(&self.config) }
    }
}

impl<S: fmt::Debug, F> fmt::Debug for SentryJob<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentryJob").field("inner", &self.inner).field("config", &self.config).finish()
    }
}
