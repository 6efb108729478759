//! The layer and its setters.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use sentrace_core::{Client, DataCollection, SamplingContext, diagnostics};
use sentrace_protocol::TransactionSource;
use tower_layer::Layer;

use super::client_address::TrustedProxies;
use super::config::{Config, SharedConfig, Trust};
use super::duplicate;
use super::head::RequestHead;
use super::long_lived::LongLived;
use super::service::SentryTracing;

/// Records an `http.server` transaction for each request, and continues the caller's trace.
///
/// Its position among other layers can cost detail, but not correctness. In axum's `Router::layer` (feature `axum`)
/// transactions are named by route (`GET /users/{id}`, source `route`). Around a router they are named by path (source `url`),
/// unless a `SentryRouteLayer` inside sets the route, and in plain hyper by path. In names, `HTTP` stands for an unknown method,
/// which is recorded as `http.request.method_original`. If a request passes two of these layers, it has one transaction, even
/// if a task lies between them, as with tower's `Buffer`.
///
/// A request that code inside a transaction sends to a router in its own process is a transaction below the current span, even
/// if it has copied headers and extensions. If it is sent from a task without a current span, it counts as external.
///
/// `Router::layer` also wraps the fallback: requests that match no route are transactions named by their path.
/// `Router::route_layer` leaves them out.
///
/// The client is looked up for each request, so routers may be built before `init`. Without a client the layer does nothing.
///
/// ```
/// use sentrace_tower::SentryTracingLayer;
///
/// # fn router() -> tower::ServiceBuilder<tower::layer::util::Identity> { tower::ServiceBuilder::new() }
/// let service = router().layer(SentryTracingLayer::new());
///
/// // Health checks are not recorded, and external callers cannot choose trace ids.
/// let edge = SentryTracingLayer::new()
///     .filter(|request| request.uri().path() != "/health")
///     .ignore_statuses([404..=404])
///     .trust_incoming(false);
/// ```
///
/// # When a transaction ends
/// It ends with the last byte: after the last frame of the body, after as many bytes as `Content-Length` announces, or with the
/// head if there is no body. If the service or the body fails or panics, the status is `internal_error`; if the client
/// disconnects before or during the response, `cancelled`. A layer outside may replace the response, so if the body is dropped
/// before it is polled, the status is that of the status code. A layer outside that stops waiting, such as a timeout, looks like
/// a client that disconnects: put it inside this layer. The time to the first byte is recorded separately. For connections that
/// stay open longer, such as a WebSocket, see [`LongLived`].
///
/// A transaction starts with the call. The time that inner services spend in `poll_ready`, such as a concurrency limit in the
/// same `ServiceBuilder`, is not part of it: the layer gets the request after they are ready. If the proxy in front sends
/// `X-Request-Start`, that time is part of `http.server.request.time_in_queue`.
///
/// # gRPC
/// gRPC calls, for example of tonic's servers, are recognized by the content types of request and response. They are
/// `grpc.server` transactions named `/pkg.Service/Method`, end with their stream, and have one of the sixteen codes of
/// `grpc-status` as their status. The source is `url`, because the caller has chosen the name, and becomes `route` if the
/// response shows that the method exists: not if it fails at once or ends without `grpc-status`. If axum has matched a route
/// other than tonic's own, the request is named by that.
///
/// ```
/// use sentrace_tower::SentryTracingLayer;
/// use tonic::transport::Server;
///
/// let server = Server::builder().layer(SentryTracingLayer::new()); // .add_service(orders).serve(address)
/// # let _ = server;
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it is applied"]
pub struct SentryTracingLayer {
    config: SharedConfig,
}

impl Default for SentryTracingLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl SentryTracingLayer {
    /// Creates the layer with default settings.
    pub fn new() -> Self {
        duplicate::count_layer();
        Self { config: SharedConfig::standard() }
    }

    /// Sets the client, instead of the current or global one.
    pub fn client(self, client: Client) -> Self {
        self.with(|config| config.client = Some(client))
    }

    /// Sets the share of requests without an incoming sampling decision that are recorded, from 0 to 1. It takes precedence over
    /// the client's rate. A value outside 0 to 1 is ignored with a warning.
    pub fn sample_rate(self, rate: f64) -> Self {
        if !(0.0..=1.0).contains(&rate) {
            diagnostics::warn(format_args!(
                "SentryTracingLayer::sample_rate({rate}) is ignored: write a number from 0 (nothing) to 1 (everything)"
            ));
            return self;
        }
        self.with(|config| config.sample_rate = Some(rate))
    }

    /// Sets a function that returns the rate for each request. It takes precedence over the incoming decision and over the
    /// client's sampler.
    pub fn sampler(self, sampler: impl Fn(&SamplingContext<'_>) -> f64 + Send + Sync + 'static) -> Self {
        self.with(|config| config.sampler = Some(Arc::new(sampler)))
    }

    /// Sets which requests are recorded. Others still continue their trace, so calls that they make carry it.
    pub fn filter(self, filter: impl Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with(|config| config.filter = Some(Arc::new(filter)))
    }

    /// Sets ranges of status codes whose transactions are not sent: `[404..=404, 300..=399]`. Since the status is known only at
    /// the end, services that were called keep their part of the trace (Sentry SDK specification, `traceIgnoreStatusCodes`).
    pub fn ignore_statuses(self, statuses: impl IntoIterator<Item = RangeInclusive<u16>>) -> Self {
        let statuses: Vec<_> = statuses.into_iter().collect();
        for range in
            statuses.iter().filter(|range| range.is_empty() || *range.end() < 100 || *range.start() > 999)
        {
            diagnostics::warn(format_args!(
                "SentryTracingLayer::ignore_statuses: no status is in {range:?}; write ranges of three-digit codes from low \
                 to high, as in 400..=499"
            ));
        }
        self.with(|config| config.ignored_statuses = Some(statuses.into_iter().collect()))
    }

    /// Sets whether `OPTIONS` requests are recorded. Off by default: they are CORS preflights.
    pub fn trace_options_requests(self, trace: bool) -> Self {
        self.with(|config| config.options_requests = trace)
    }

    /// Sets whether `HEAD` requests are recorded. On by default.
    pub fn trace_head_requests(self, trace: bool) -> Self {
        self.with(|config| config.head_requests = trace)
    }

    /// Sets the names of transactions and their sources. With `None` a transaction keeps its default name.
    pub fn name(
        self,
        name: impl Fn(&RequestHead<'_>) -> Option<(String, TransactionSource)> + Send + Sync + 'static,
    ) -> Self {
        self.with(|config| config.namer = Some(Arc::new(name)))
    }

    /// Sets whether incoming trace headers are trusted. On by default. Turn it off at a public edge, where any client could choose
    /// trace ids and sampling decisions.
    pub fn trust_incoming(self, trust: bool) -> Self {
        self.with(|config| config.trust = if trust { Trust::Always } else { Trust::Never })
    }

    /// Trusts the incoming trace headers of some requests only.
    pub fn trust_incoming_if(self, trust: impl Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with(|config| config.trust = Trust::If(Arc::new(trust)))
    }

    /// Sets which parts of a request are recorded besides method, path and status. Personal data is recorded only if enabled here.
    pub fn data_collection(self, collection: DataCollection) -> Self {
        self.with(|config| config.collection = collection)
    }

    /// Sets which proxies are trusted about the client's address; none by default. The address is recorded as `client.address`
    /// and as the user's `ip_address` if [`DataCollection::user_info`] is enabled. Hooks can always read it
    /// ([`RequestHead::client_address`]).
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.with(|config| config.trusted_proxies = proxies)
    }

    /// Sets whether the route is set after this layer, by a `SentryRouteLayer` in the router (feature `axum`). Off by default.
    ///
    /// If it is off, `SentryRouteLayer` still works on the request's own task, and requests that match no route are named by
    /// their path. If it is on, a recorded request carries a handle to its transaction, which costs an allocation and also works
    /// if a task lies between, as with tower's `Buffer`. Requests that match no route are then named by their method (`GET`;
    /// Sentry's conventions for names of HTTP spans), so that a client cannot create many names by trying many paths.
    /// `SentryRouteLayer` and `CurrentTransaction` look for the handle first.
    pub fn late_route(self, late: bool) -> Self {
        self.with(|config| config.late_route = late)
    }

    /// Sets whether responses carry the trace in `Server-Timing`, so that Sentry's browser SDK continues the trace of the page
    /// load without `<meta>` tags. Off by default, since it is visible to every client.
    pub fn server_timing(self, send: bool) -> Self {
        self.with(|config| config.server_timing = send)
    }

    /// Sets when the transaction of an upgraded request ends, such as a WebSocket or `CONNECT`. By default it ends with the head
    /// of the response; see [`LongLived`].
    pub fn upgrades(self, policy: LongLived) -> Self {
        self.with(|config| config.upgrades = policy)
    }

    /// Sets when the transaction of a request with an event stream (`text/event-stream`) ends. By default it ends with the stream,
    /// as `cancelled` if the client disconnects first; see [`LongLived`].
    pub fn event_streams(self, policy: LongLived) -> Self {
        self.with(|config| config.event_streams = policy)
    }

    fn with(self, set: impl FnOnce(&mut Config)) -> Self {
        Self { config: self.config.with(set) }
    }
}

impl<S> Layer<S> for SentryTracingLayer {
    type Service = SentryTracing<S>;

    fn layer(&self, inner: S) -> SentryTracing<S> {
        SentryTracing::new(inner, self.config.clone())
    }
}

impl fmt::Debug for SentryTracingLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentryTracingLayer").field("config", &self.config).finish()
    }
}
