//! Tells the transaction its route where the server layer could not know it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use http::Request;
use sentrace_core::adapter::{inner_accessors, matched_route};
use tower_layer::Layer;
use tower_service::Service;

use crate::misplaced::warn_if_outside;
use crate::server::RequestSpan;

/// Names the request's transaction by its route from inside the router, for a
/// [`SentryTracingLayer`](crate::SentryTracingLayer) that sits around it and knows the path alone.
///
/// As a `route_layer` it runs after axum has found the route and before anything that a handler does, so the name is
/// right however the request ends. Nested routers tell their whole route. Where several tell one, the innermost
/// counts.
///
/// ```
/// use axum::{Router, routing::get};
/// use sentrace_tower::{SentryRouteLayer, SentryTracingLayer};
/// use tower::Layer;
///
/// let app: Router = Router::new()
///     .route("/users/{id}", get(async || "user"))
///     .route_layer(SentryRouteLayer::new());
/// // Around the router, as middleware has to be that rewrites URIs before routing.
/// let service = SentryTracingLayer::new().late_route(true).layer(app);
/// let app: Router = Router::new().fallback_service(service); // what `axum::serve` takes
/// ```
///
/// A `nest_service` has no route that axum would tell: say it by hand.
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
    /// Tells the route that axum has matched; where none did, as in a fallback, nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells this route (`/files/{*path}`), prefixes included, for a service that is no route of axum's.
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

/// A service that tells its route; see [`SentryRouteLayer`].
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
            let span = RequestSpan::of(extensions);
            warn_if_outside(&span, "SentryRouteLayer", &WARNED);
            span.set_route(route);
        }
        self.inner.call(request)
    }
}
