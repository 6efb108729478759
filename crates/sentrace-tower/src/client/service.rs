//! The service of the layer.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use sentrace_core::adapter::inner_accessors;
use tower_service::Service;

use super::body::ClientBody;
use super::call::Call;
use super::config::Config;
use super::future::ClientFuture;

/// A client that records a span for each call; see [`SentryClientLayer`](super::SentryClientLayer).
#[derive(Debug, Clone)]
pub struct SentryClient<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S> SentryClient<S> {
    pub(super) fn new(inner: S, config: Arc<Config>) -> Self {
        Self { inner, config }
    }

    inner_accessors!(S);
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SentryClient<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body,
{
    type Response = Response<ClientBody<ResBody>>;
    type Error = S::Error;
    type Future = ClientFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let call = Call::begin(&self.config, &mut request);
        ClientFuture::new(self.inner.call(request), call)
    }
}
