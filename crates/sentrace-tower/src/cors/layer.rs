//! The layer and its setters.

use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::config::Config;
use super::misplacement::{Misplacement, Watch, warn};
use super::service::SentryCors;

/// Adds `sentry-trace` and `baggage` to the allowed headers in responses to CORS preflights.
///
/// Put it outside the CORS layer; [the module](crate::cors) shows how.
///
/// It follows the decision of the CORS layer and never allows an origin. Only responses to allowed preflights are changed: the
/// request is `OPTIONS` with `Origin` and `Access-Control-Request-Method`, the response has a 2xx status and
/// `Access-Control-Allow-Origin`. Listed names are kept, and so is `*`, unless credentials are allowed: then it is not a
/// wildcard.
///
/// The names are added even if the browser did not ask for them in `Access-Control-Request-Headers`. This allows nothing that
/// another request would not be allowed, and the response is the same for all, so caches need no `Vary`.
///
/// The header names are those of the Sentry SDK specification, *Trace Propagation* 1.9; the lists are those of the Fetch
/// standard, *CORS-preflight fetch*.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use sentrace_tower::SentryCorsLayer;
/// use tower_http::cors::{Any, CorsLayer};
///
/// let app: Router = Router::new()
///     .route("/price", get(|| async { "12" }))
///     .layer(CorsLayer::new().allow_origin(Any))
///     .layer(SentryCorsLayer::new()); // later, so outside
/// ```
///
/// With `traceparent`, and with a hook that logs misplacement:
///
/// ```
/// # fn log(_: &dyn std::fmt::Display) {}
/// use sentrace_tower::SentryCorsLayer;
///
/// let layer = SentryCorsLayer::new().traceparent(true).on_misplaced(|misplacement| log(misplacement));
/// # let _ = layer;
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it is applied to a service"]
pub struct SentryCorsLayer {
    config: Config,
}

impl SentryCorsLayer {
    /// Creates the layer. It warns once, through [`sentrace_core::diagnostics`], if it seems to be misplaced.
    pub fn new() -> Self {
        Self { config: Config { traceparent: None, watch: Arc::new(Watch::new(warn)) } }
    }

    /// Sets whether `traceparent` is also allowed. Defaults to whether the client
    /// [continues](sentrace_core::Options::continue_traceparent) or
    /// [propagates](sentrace_core::Options::propagate_traceparent) it.
    pub fn traceparent(mut self, allow: bool) -> Self {
        self.config.traceparent = Some(allow);
        self
    }

    /// Sets a hook that is called instead of the warning if the layer seems to be misplaced.
    ///
    /// It is called at most once per layer and its clones, on the thread of the request that shows it. It must not block.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use sentrace_tower::SentryCorsLayer;
    ///
    /// static MISPLACED: AtomicBool = AtomicBool::new(false);
    /// let layer = SentryCorsLayer::new().on_misplaced(|_| MISPLACED.store(true, Ordering::Relaxed));
    /// # let _ = layer;
    /// ```
    pub fn on_misplaced(mut self, hook: impl Fn(&Misplacement) + Send + Sync + 'static) -> Self {
        self.config.watch = Arc::new(Watch::new(hook));
        self
    }
}

impl Default for SentryCorsLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SentryCorsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentryCorsLayer")
            .field("traceparent", &self.config.traceparent)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for SentryCorsLayer {
    type Service = SentryCors<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SentryCors::new(inner, self.config.clone())
    }
}
