//! Names the transaction by its route if the server layer cannot know it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use http::Request;
use sentrace_core::adapter::{inner_accessors, matched_route};
use tower_layer::Layer;
use tower_service::Service;

use crate::misplaced::warn_if_outside;
use crate::server::TransactionHandle;

/// Names the request's transaction by its route from inside the router, for a
/// [`SentryTracingLayer`](crate::SentryTracingLayer) around the router, which knows only the path.
///
/// As a `route_layer` it runs after axum has matched the route and before the handler, so the name is right however the request
/// ends. The route includes those of nesting routers. If there are several of these layers, the innermost one counts.
///
/// ```
/// use axum::{Router, routing::get};
/// use sentrace_tower::{SentryRouteLayer, SentryTracingLayer};
/// use tower::Layer;
///
/// let app: Router = Router::new()
///     .route("/users/{id}", get(async || "user"))
///     .route_layer(SentryRouteLayer::new());
/// // Around the router, like middleware that rewrites URIs before routing.
/// let service = SentryTracingLayer::new().late_route(true).layer(app);
/// let app: Router = Router::new().fallback_service(service); // what `axum::serve` takes
/// ```
///
/// For a `nest_service` axum has no route. Name it yourself:
///
/// ```
/// # use std::convert::Infallible;
/// # use axum::{Router, body::Body, http::{Request, Response}};
/// use sentrace_tower::SentryRouteLayer;
/// use tower::Layer;
///
/// # let files = tower::service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::<Body>::default()));
/// let files = SentryRouteLayer::named("/files/{*path}").layer(files);
/// let app: Router = Router::new().nest_service("/files", files);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a layer does nothing until it is applied"]
pub struct SentryRouteLayer {
    named: Option<Arc<str>>,
}

impl SentryRouteLayer {
    /// Creates a layer that uses the route that axum has matched. It does nothing if there is none, as in a fallback.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a layer that uses this route (`/files/{*path}`), prefixes included, for a service that is not a route of axum.
    pub fn named(route: impl Into<Arc<str>>) -> Self {
        Self { named: Some(route.into()) }
    }
}

impl<S> Layer<S> for SentryRouteLayer {
    type Service = SentryRoute<S>;

    fn layer(&self, inner: S) -> SentryRoute<S> {
        SentryRoute { inner, named: self.named.clone() }
    }
}

/// A service that names transactions by its route; see [`SentryRouteLayer`].
#[derive(Debug, Clone)]
pub struct SentryRoute<S> {
    inner: S,
    named: Option<Arc<str>>,
}

impl<S> SentryRoute<S> {
    inner_accessors!(S);
}

impl<S, B> Service<Request<B>> for SentryRoute<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let extensions = request.extensions();
        if let Some(route) = self.named.as_deref().or_else(|| matched_route(extensions)) {
            static WARNED: AtomicBool = AtomicBool::new(false);
            let span = TransactionHandle::find(extensions);
            warn_if_outside(&span, "SentryRouteLayer", &WARNED);
            span.set_route(route);
        }
        self.inner.call(request)
    }
}
