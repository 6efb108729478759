//! The layer.

use std::sync::Arc;

use tower_layer::Layer;

use super::config::Config;
use super::inner::InnerService;
use super::service::SentryMiddlewareSpan;

/// Records the time that a middleware spends on each request as a span. It wraps the layer of that middleware.
///
/// The span has the op `middleware.tower` and the name as its description (Sentry's conventions, span operations). As with
/// Express's middleware spans, it ends when the middleware calls the inner service, so its duration is the middleware's own.
/// Spans that the middleware starts until then are its children; spans of the inner service are its siblings. The time that a
/// middleware waits until it is ready, as limits do, is part of its span.
///
/// If the middleware responds without calling the inner service, the span ends with its response and has the status of the
/// status code. If it fails, the status is `internal_error`; if it is dropped, `cancelled`. If nothing is recorded, the
/// middleware runs without a span.
///
/// ```
/// use axum::{Router, extract::Request, http::StatusCode, middleware::{Next, from_fn}, response::Response, routing::get};
/// use sentrace_tower::{SentryTracingLayer, SentryMiddlewareSpanLayer};
///
/// async fn auth(request: Request, next: Next) -> Result<Response, StatusCode> {
///     if request.headers().contains_key("authorization") {
///         return Ok(next.run(request).await); // the span "auth" ends here
///     }
///     Err(StatusCode::UNAUTHORIZED)
/// }
///
/// let app: Router = Router::new()
///     .route("/", get(async || "hello"))
///     .layer(SentryMiddlewareSpanLayer::new("auth", from_fn(auth)))
///     .layer(SentryTracingLayer::new()); // outermost
/// ```
///
/// The layer can be a stack of layers. The middleware's two ends find each other through the request's extensions. If a
/// middleware calls the inner service with a request that lacks them, its span lasts until the response, and spans of the
/// inner service are its children.
#[derive(Debug, Clone)]
#[must_use = "a layer does nothing until it is applied"]
pub struct SentryMiddlewareSpanLayer<L> {
    layer: L,
    config: Config,
}

impl<L> SentryMiddlewareSpanLayer<L> {
    /// Creates spans with this name for the middleware of `layer`.
    pub fn new(name: impl Into<Arc<str>>, layer: L) -> Self {
        Self { layer, config: Config { name: name.into(), response_span: false } }
    }

    /// Sets whether there is a second span, from the response of the inner service to that of the middleware, for
    /// middleware such as session stores. Off by default: most middleware does nothing then. Neither span covers the
    /// response's body.
    pub fn response_span(mut self, enabled: bool) -> Self {
        self.config.response_span = enabled;
        self
    }
}

impl<S, L: Layer<InnerService<S>>> Layer<S> for SentryMiddlewareSpanLayer<L> {
    type Service = SentryMiddlewareSpan<L::Service>;

    fn layer(&self, inner: S) -> Self::Service {
        SentryMiddlewareSpan::new(self.layer.layer(InnerService::new(inner)), self.config.clone())
    }
}
