//! The layer and all that can be set on it.

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

/// Opens one `http.server` transaction for each request, and continues the caller's trace.
///
/// One layer does it; where it sits among other layers can cost detail, never correctness. In axum's
/// `Router::layer` (feature `axum`) transactions are named by route (`GET /users/{id}`, source `route`); around a
/// router by path (source `url`), unless a `SentryRouteLayer` inside tells the route, and in plain hyper by path. `HTTP`
/// stands for a method that no standard knows, which is recorded as `http.request.method_original`. Applied twice to a
/// request, it opens one transaction, also on both sides of another task, as tower's `Buffer` has one.
///
/// A request that code of a transaction sends to a router of its own process is a transaction below the current span,
/// whatever headers and extensions it has copied. What it sends from a task that takes no span along comes from outside.
///
/// `Router::layer` wraps the fallback, too: requests that match no route are transactions named by their path.
/// `Router::route_layer` leaves them out.
///
/// The client is found when a request comes, so routers may be built before `init`. Without a client the layer does
/// nothing.
///
/// ```
/// use sentrace_tower::SentryTracingLayer;
///
/// # fn router() -> tower::ServiceBuilder<tower::layer::util::Identity> { tower::ServiceBuilder::new() }
/// let service = router().layer(SentryTracingLayer::new());
///
/// // Health checks leave no transaction, and nobody at the edge chooses our traces.
/// let edge = SentryTracingLayer::new()
///     .filter(|request| request.uri().path() != "/health")
///     .ignore_statuses([404..=404])
///     .trust_incoming(false);
/// ```
///
/// # When a transaction ends
/// With the last byte: when the body's last frame came, as many bytes went as `Content-Length` said, or there is no
/// body to send. A body that fails, a service that fails or panics end it as `internal_error`; a client that goes
/// away, before or during the answer, as `cancelled`. A layer outside of this one may replace the answer: a body that is
/// dropped before anybody has asked for it counts by the status code. A layer outside that stops waiting, such as a timeout,
/// cannot be told from a client that goes away: put it inside of this layer. The time to the first byte is recorded apart.
/// For what stays open longer, as upgrades to a WebSocket do, see [`LongLived`].
///
/// It begins with the call. Time that services inside spend in `poll_ready`, as a concurrency limit in the same
/// `ServiceBuilder` does, is not in it: the layer has no request until they are ready. Where the proxy in front sends
/// `X-Request-Start`, that time is a part of `http.server.request.time_in_queue`.
///
/// # gRPC
/// Calls of gRPC, as tonic's servers take them, are told by their content type and that of the answer. They are
/// `grpc.server` transactions named `/pkg.Service/Method`, with the sixteen codes of `grpc-status` as their status, from the
/// head or from the trailers; they end with their stream. The source is `route` once the answer shows that the method exists,
/// which one that fails at once or ends without `grpc-status` does not; until then the caller has chosen the name, and it is
/// `url`. A route that axum has matched names the request instead, unless it is tonic's own.
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
    /// The layer as most services want it.
    pub fn new() -> Self {
        duplicate::count_layer();
        Self { config: SharedConfig::standard() }
    }

    /// Reports to this client instead of the one that is found when a request comes.
    pub fn client(self, client: Client) -> Self {
        self.with(|config| config.client = Some(client))
    }

    /// The share of requests without an incoming decision that are recorded, from 0 to 1; goes before the
    /// client's rate. A rate that is none is said and left out.
    pub fn sample_rate(self, rate: f64) -> Self {
        if !(0.0..=1.0).contains(&rate) {
            diagnostics::warn(format_args!(
                "SentryTracingLayer::sample_rate({rate}) is ignored: write a number from 0 (nothing) to 1 (everything)"
            ));
            return self;
        }
        self.with(|config| config.sample_rate = Some(rate))
    }

    /// Decides the rate for each request, and wins over the incoming decision; goes before the client's sampler.
    pub fn sampler(self, sampler: impl Fn(&SamplingContext<'_>) -> f64 + Send + Sync + 'static) -> Self {
        self.with(|config| config.sampler = Some(Arc::new(sampler)))
    }

    /// Which requests get a transaction. Others still continue their trace: what they call finds its caller.
    pub fn filter(self, filter: impl Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with(|config| config.filter = Some(Arc::new(filter)))
    }

    /// Status codes whose transactions are not sent, in ranges: `[404..=404, 300..=399]`. They are known at the end
    /// only: what was called meanwhile keeps its part of the trace (Sentry SDK specification, `traceIgnoreStatusCodes`).
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

    /// Whether `OPTIONS` requests get a transaction. Off by default: they are CORS preflights.
    pub fn trace_options_requests(self, trace: bool) -> Self {
        self.with(|config| config.options_requests = trace)
    }

    /// Whether `HEAD` requests get a transaction. On by default.
    pub fn trace_head_requests(self, trace: bool) -> Self {
        self.with(|config| config.head_requests = trace)
    }

    /// Names transactions; `None` leaves the name as it would be. The source says what kind of name it is.
    pub fn name(
        self,
        name: impl Fn(&RequestHead<'_>) -> Option<(String, TransactionSource)> + Send + Sync + 'static,
    ) -> Self {
        self.with(|config| config.namer = Some(Arc::new(name)))
    }

    /// Whether incoming trace headers are believed. On by default; off at a public edge, where anybody could choose
    /// trace ids and decisions.
    pub fn trust_incoming(self, trust: bool) -> Self {
        self.with(|config| config.trust = if trust { Trust::Always } else { Trust::Never })
    }

    /// Believes incoming trace headers of some requests only.
    pub fn trust_incoming_if(self, trust: impl Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with(|config| config.trust = Trust::If(Arc::new(trust)))
    }

    /// What of the request is recorded besides method, path and status; what names a person only where it says so.
    pub fn data_collection(self, collection: DataCollection) -> Self {
        self.with(|config| config.collection = collection)
    }

    /// Which proxies are believed about the client's address; none by default. It is recorded where
    /// [`DataCollection::user_info`] is on, as `client.address` and as the user's `ip_address`, and may always be asked
    /// for by hooks ([`RequestHead::client_address`]).
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.with(|config| config.trusted_proxies = proxies)
    }

    /// Whether the route is told after this layer, by a `SentryRouteLayer` in the router (feature `axum`). Off by
    /// default.
    ///
    /// Without this the route is told all the same where the router runs on the request's task, and requests that match
    /// no route are named by their path. With it a recorded request carries a handle to its transaction, which costs an
    /// allocation and holds where a task lies between, as with tower's `Buffer`; and requests that match no route are
    /// named by their method alone (`GET`; Sentry's conventions for names of HTTP spans), so that nobody who tries many
    /// paths makes as many names. `SentryRouteLayer` and `CurrentTransaction` look for the handle first.
    pub fn late_route(self, late: bool) -> Self {
        self.with(|config| config.late_route = late)
    }

    /// Whether answers carry the trace in `Server-Timing`, so that Sentry's browser SDK continues the trace of the
    /// page load without `<meta>` tags. Off by default; whoever gets the answer can read it.
    pub fn server_timing(self, send: bool) -> Self {
        self.with(|config| config.server_timing = send)
    }

    /// When the transaction of a request ends that leaves HTTP: a WebSocket, another upgrade, `CONNECT`. By default with
    /// the answer's head; see [`LongLived`].
    pub fn upgrades(self, policy: LongLived) -> Self {
        self.with(|config| config.upgrades = policy)
    }

    /// When the transaction of a request ends that is answered with an event stream (`text/event-stream`). By default
    /// with the stream, as `cancelled` where the client goes away first; see [`LongLived`].
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
