//! The service of the layer.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use sentrace_core::Client;
use sentrace_core::adapter::inner_accessors;
use tower_service::Service;

use super::config::Config;
use super::future::{Role, SentryCorsFuture};
use super::misplacement::{is_cross_origin, is_preflight, path_asking_for_trace_headers};

/// A service that allows trace headers in CORS; see [`SentryCorsLayer`](super::SentryCorsLayer).
#[derive(Clone)]
pub struct SentryCors<S> {
    inner: S,
    config: Config,
}

impl<S> SentryCors<S> {
    pub(super) fn new(inner: S, config: Config) -> Self {
        Self { inner, config }
    }

    inner_accessors!(S);

    fn role<B>(&self, request: &Request<B>) -> Role {
        if is_preflight(request) {
            self.config.watch.preflight_arrived();
            Role::Preflight {
                traceparent: self.allows_traceparent(),
                path: path_asking_for_trace_headers(request),
                watch: Arc::clone(&self.config.watch),
            }
        } else if self.config.watch.watches_requests() && is_cross_origin(request) {
            Role::CrossOrigin { watch: Arc::clone(&self.config.watch) }
        } else {
            Role::Other
        }
    }

    fn allows_traceparent(&self) -> bool {
        let is_used = |client: Client| client.propagates_traceparent() || client.continues_traceparent();
        self.config.traceparent.unwrap_or_else(|| Client::current().is_some_and(is_used))
    }
}

impl<S: fmt::Debug> fmt::Debug for SentryCors<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut service = f.debug_struct("SentryCors");
        service
            .field("inner", &self.inner)
            .field("traceparent", &self.config.traceparent)
            .finish_non_exhaustive()
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SentryCors<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = SentryCorsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let role = self.role(&request);
        SentryCorsFuture::new(self.inner.call(request), role)
    }
}
