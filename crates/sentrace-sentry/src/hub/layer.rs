//! The layer and its setters.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use sentry_core::Hub;
use tower_layer::Layer;

use super::config::Config;
use super::service::SentryHub;

/// Creates a Hub of the official crate for each request. It is current whenever the response future and the body are polled or
/// dropped. What a request sets on its scope stays with the request.
///
/// The Hub starts with the data of the scope around it and with the name of the request, which its events get: `GET
/// /users/{id}`, or `GET /users/7` if no route is known. Without an official client the layer does nothing.
///
/// It works in any order of layers. For [`capture_failed_requests`](Self::capture_failed_requests), put it inside
/// `SentryTracingLayer`: outside, the request's span is no longer current when the response is there, so the events would not be
/// part of the trace. The layers of `sentry-tower` are not needed beside it.
///
/// ```
/// use sentrace_sentry::SentryHubLayer;
/// use sentrace_tower::SentryTracingLayer;
/// use tower::ServiceBuilder;
///
/// // A `ServiceBuilder` lists layers from the outside in; with axum's `Router::layer` the first one is the innermost.
/// let layers = ServiceBuilder::new()
///     .layer(SentryTracingLayer::new())
///     .layer(SentryHubLayer::new().capture_failed_requests(true));
/// # let _ = layers;
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it is applied"]
pub struct SentryHubLayer {
    config: Arc<Config>,
}

impl Default for SentryHubLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl SentryHubLayer {
    /// Creates the layer with default settings.
    pub fn new() -> Self {
        Self { config: Arc::default() }
    }

    /// Sets the Hub from which the Hubs of requests are created. Defaults to that of the thread that calls the service, or to the
    /// main Hub if that one has no client, because `sentry::init` was called later.
    ///
    /// ```
    /// use sentrace_sentry::SentryHubLayer;
    ///
    /// // Requests are not affected by the scopes of the runtime's threads.
    /// let layer = SentryHubLayer::new().hub(sentry::Hub::main);
    /// ```
    pub fn hub(self, hub: impl Fn() -> Arc<Hub> + Send + Sync + 'static) -> Self {
        self.with(|config| config.hub = Some(Arc::new(hub)))
    }

    /// Sets whether failed requests are captured as error events: responses with a status from 500 to 599, and errors of the
    /// service. Off by default.
    ///
    /// The event of a response with a [`HandlerError`](crate::HandlerError) has that error and its sources. A request that has
    /// already captured an event, for example because of a panic, is not captured again.
    pub fn capture_failed_requests(self, capture: bool) -> Self {
        self.with(|config| config.captures = capture)
    }

    /// Sets ranges of status codes that are failures: `[500..=502, 504..=599]` (Sentry SDK specification,
    /// `failedRequestStatusCodes`). Has no effect without [`capture_failed_requests`](Self::capture_failed_requests).
    pub fn failed_request_statuses(self, statuses: impl IntoIterator<Item = RangeInclusive<u16>>) -> Self {
        self.with(|config| config.statuses = statuses.into_iter().collect())
    }

    fn with(mut self, set: impl FnOnce(&mut Config)) -> Self {
        set(Arc::make_mut(&mut self.config));
        self
    }
}

impl<S> Layer<S> for SentryHubLayer {
    type Service = SentryHub<S>;

    fn layer(&self, inner: S) -> SentryHub<S> {
        SentryHub::new(inner, Arc::clone(&self.config))
    }
}

impl fmt::Debug for SentryHubLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentryHubLayer").field("config", &self.config).finish()
    }
}
