//! The service of the layer.

use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use sentrace_core::adapter::{Around as _, inner_accessors};
use tower_service::Service;

use super::body::ResponseBody;
use super::config::SharedConfig;
use super::future::ResponseFuture;
use super::method_semantics::MethodSemantics;
use super::response_head::OnResponseHead;

/// A service that records a transaction for each request; see [`SentryTracingLayer`](super::SentryTracingLayer).
#[derive(Debug, Clone)]
pub struct SentryTracing<S> {
    inner: S,
    config: SharedConfig,
}

impl<S> SentryTracing<S> {
    pub(super) fn new(inner: S, config: SharedConfig) -> Self {
        Self { inner, config }
    }

    inner_accessors!(S);
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SentryTracing<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let mut on_head = OnResponseHead::new(&self.config, MethodSemantics::of(&request));
        let mut guard = self.config.open(&mut request, &mut on_head);
        let future = guard.around(|| self.inner.call(request));
        ResponseFuture::new(future, guard, on_head)
    }
}
