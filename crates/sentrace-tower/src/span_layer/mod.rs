//! A span for what a middleware does with a request.

mod entry;
mod future;
mod passage;
mod readiness;
mod service;

use std::sync::Arc;

use tower_layer::Layer;

pub use self::entry::{Entry, EntryFuture};
pub use self::future::SpanFuture;
pub use self::service::SpanService;

/// Makes the share that a middleware has in a request a span: wrap its layer in this one.
///
/// The span is `middleware.tower`, described by the name (Sentry's conventions, span operations). As Express's middleware spans do, it lasts until the middleware
/// hands the request on: its time is the middleware's own, without the service inside. What the middleware starts
/// meanwhile is below the span; what the service inside starts is beside it, below whatever was current outside. A
/// middleware that waits to be ready, as limits do, waits inside its span, too.
///
/// A middleware that answers by itself has a span that ends with its answer and has the status of its code; one that fails
/// is `internal_error`, one that is dropped while it works `cancelled`. Where nothing is recorded the middleware simply runs.
///
/// ```
/// use axum::{Router, extract::Request, http::StatusCode, middleware::{Next, from_fn}, response::Response, routing::get};
/// use sentrace_tower::{SentryTracingLayer, SpanLayer};
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
///     .layer(SpanLayer::new("auth", from_fn(auth)))
///     .layer(SentryTracingLayer::new()); // outside of all that is to be seen
/// ```
///
/// The layer may be a whole stack of them. The request's extensions carry what the two ends of a middleware know of
/// each other; where a middleware hands on a request without them, its span lasts until the answer, with the spans of the
/// service inside below it.
#[derive(Debug, Clone)]
#[must_use = "a layer does nothing until it is applied"]
pub struct SpanLayer<L> {
    layer: L,
    name: Arc<str>,
    way_back: bool,
}

impl<L> SpanLayer<L> {
    /// Spans of this name for the middleware that `layer` makes.
    pub fn new(name: impl Into<Arc<str>>, layer: L) -> Self {
        Self { layer, name: name.into(), way_back: false }
    }

    /// Whether there is a second span for what the middleware does between the inner service's answer and its own, as
    /// stores of sessions do. Off by default: most have nothing to do there. What happens while the body is sent is in
    /// neither.
    pub fn way_back(mut self, span: bool) -> Self {
        self.way_back = span;
        self
    }
}

impl<S, L: Layer<Entry<S>>> Layer<S> for SpanLayer<L> {
    type Service = SpanService<L::Service>;

    fn layer(&self, inner: S) -> Self::Service {
        let middleware = self.layer.layer(Entry::new(inner));
        SpanService::new(middleware, Arc::clone(&self.name), self.way_back)
    }
}
