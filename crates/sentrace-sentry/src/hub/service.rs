//! The service of the layer.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use sentrace_core::adapter::{HttpHead, inner_accessors};
use tower_service::Service;

use super::body::HubBody;
use super::bound::BoundHub;
use super::config::Config;
use super::failure::FailureReport;
use super::future::HubFuture;
use super::head::Name;

/// A service that creates a Hub for each request; see [`SentryHubLayer`](super::SentryHubLayer).
#[derive(Debug, Clone)]
pub struct SentryHub<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S> SentryHub<S> {
    pub(super) fn new(inner: S, config: Arc<Config>) -> Self {
        Self { inner, config }
    }

    inner_accessors!(S);
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SentryHub<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: fmt::Debug + fmt::Display,
{
    type Response = Response<HubBody<ResBody>>;
    type Error = S::Error;
    type Future = HubFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let hub = BoundHub::new(&self.config);
        let report = hub.get().and_then(|hub| {
            let name = Name::of(&HttpHead::of(&request));
            hub.configure_scope(|scope| scope.set_transaction(Some(&name.text)));
            FailureReport::prepare(&self.config, &name, &mut request)
        });
        let future = hub.enter(|| self.inner.call(request));
        HubFuture::new(future, hub, report)
    }
}
