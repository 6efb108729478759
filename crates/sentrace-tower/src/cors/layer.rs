//! The layer, which is all there is to configure.

use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::misplacement::{Misplacement, Watch, warn};
use super::service::SentryCors;

/// Adds `sentry-trace` and `baggage` to the allowed headers of CORS preflight answers.
///
/// Put it outside the CORS layer; [the module](crate::cors) shows how, for both ways of stacking layers.
///
/// It follows what the CORS layer decided and never opens an origin. Only a granted preflight is touched: the
/// request is `OPTIONS` with `Origin` and `Access-Control-Request-Method`, the answer has a 2xx status and
/// `Access-Control-Allow-Origin`. Names that are listed stay as they are, `*` too, unless credentials are
/// allowed: there it is no wildcard.
///
/// The names are added whether or not this browser asked for them in `Access-Control-Request-Headers`. That
/// permits nothing which another request would not be permitted, and the answer stays the same for all, so a
/// cache may keep it without a `Vary` of ours.
///
/// Header names as in the Sentry SDK specification, *Trace Propagation* 1.9; the meaning of the lists as in
/// the Fetch standard, *CORS-preflight fetch*.
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
/// With `traceparent`, and findings in the log of the application:
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
    traceparent: Option<bool>,
    watch: Arc<Watch>,
}

impl SentryCorsLayer {
    /// A layer for `sentry-trace` and `baggage` that warns once when it looks misplaced.
    ///
    /// The warning goes through [`sentrace_core::diagnostics`]: to standard error, unless the process has set
    /// another handler there.
    pub fn new() -> Self {
        Self { traceparent: None, watch: Arc::new(Watch::new(warn)) }
    }

    /// Whether `traceparent` is allowed, too. Defaults to whether the client
    /// [continues](sentrace_core::Options::continue_traceparent) or
    /// [propagates](sentrace_core::Options::propagate_traceparent) it.
    pub fn traceparent(mut self, allow: bool) -> Self {
        self.traceparent = Some(allow);
        self
    }

    /// Calls `hook` instead of warning when the layer looks misplaced.
    ///
    /// At most once per layer, however often it is cloned, on the thread of the request that showed it. The
    /// hook must not block or panic.
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
        self.watch = Arc::new(Watch::new(hook));
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
        f.debug_struct("SentryCorsLayer").field("traceparent", &self.traceparent).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for SentryCorsLayer {
    type Service = SentryCors<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SentryCors::new(inner, self.traceparent, Arc::clone(&self.watch))
    }
}
