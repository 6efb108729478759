//! The layer and its setters.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use sentrace_core::Client;
use tower_layer::Layer;

use super::config::Config;
use super::head::CallHead;
use super::service::SentryClient;

/// Records each call of an HTTP client as an `http.client` span of the current transaction, and propagates the trace to the
/// hosts in [`Options::tracing_origins`](sentrace_core::Options::tracing_origins) (Sentry SDK specification, *HTTP
/// Client Integrations* and *Trace Propagation* 1.9).
///
/// It is for clients that are tower services: hyper-util's, tonic's channels, and what is built on them. For reqwest there is
/// a middleware, which also guards redirects.
///
/// Without a current transaction the call still carries the trace that it belongs to. Requests to the DSN's host are not
/// traced, and a `sentry-trace` that the application set stays. Headers that a gateway copies from the request it serves are
/// replaced, whether or not they were trusted, and so are those that this process injected into a request that it sends again;
/// if the host may not get the trace, both are removed ([`OutgoingCall::inject`](sentrace_core::adapter::OutgoingCall::inject)).
/// Responses and errors are passed through unchanged.
///
/// Put layers that follow redirects or retry outside this one: then each attempt is a span, and its own URL decides whether it
/// carries the trace.
///
/// A span ends with the head of the response. If the call is dropped before, its status is `cancelled`; if it fails, the
/// status is `internal_error` and the error's type is recorded.
///
/// ```
/// use hyper_util::client::legacy::Client;
/// use hyper_util::rt::TokioExecutor;
/// use sentrace_tower::SentryClientLayer;
/// use tower::ServiceBuilder;
///
/// let hyper = Client::builder(TokioExecutor::new()).build_http::<http_body_util::Empty<bytes::Bytes>>();
/// let client = ServiceBuilder::new().layer(SentryClientLayer::new()).service(hyper);
/// # let _ = client;
/// ```
///
/// With hooks:
///
/// ```
/// use sentrace_tower::SentryClientLayer;
///
/// let layer = SentryClientLayer::new()
///     .filter(|call| call.uri().path() != "/health")
///     .name(|call| call.uri().path().starts_with("/users/").then(|| "GET /users/{id}".to_owned()));
/// ```
///
/// # Uploads
/// Clients poll the body of a request on the task of the connection, where no span is current. Attach the current span to a
/// body that starts spans:
///
/// ```
/// use sentrace_core::InCurrentSpan as _;
///
/// fn upload<B>(request: http::Request<B>) -> http::Request<impl http_body::Body>
/// where
///     B: http_body::Body,
/// {
///     request.map(|body| body.in_current_span())
/// }
/// ```
///
/// # gRPC
/// gRPC calls are recognized by their content type. They are `grpc.client` spans named `/pkg.Service/Method`, end with their
/// stream, and have one of the sixteen codes of `grpc-status` as their status. A stream that is dropped before its trailers is
/// `cancelled`.
///
/// Requests of a tonic client name no host, but the host decides whether they may carry the trace, so it is set here:
///
/// ```
/// use sentrace_tower::SentryClientLayer;
/// use tonic::transport::Endpoint;
/// use tower::ServiceBuilder;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let endpoint = Endpoint::from_static("http://127.0.0.1:50051");
/// let layer = SentryClientLayer::new().endpoint(endpoint.uri().clone());
/// let channel = ServiceBuilder::new().layer(layer).service(endpoint.connect_lazy());
/// // let orders = OrdersClient::new(channel);
/// # let _ = channel;
/// # });
/// ```
#[derive(Clone, Default)]
#[must_use = "a layer does nothing until it is applied"]
pub struct SentryClientLayer {
    config: Arc<Config>,
}

impl SentryClientLayer {
    /// Creates the layer with default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the client whose `tracing_origins` apply, instead of the current or global one.
    pub fn client(self, client: Client) -> Self {
        self.with(|config| config.client = Some(client))
    }

    /// Sets scheme and authority of requests whose URI has none, such as those of a tonic client.
    pub fn endpoint(self, endpoint: Uri) -> Self {
        self.with(|config| config.endpoint = Some(endpoint))
    }

    /// Sets which calls become spans. Others still carry the trace, with the current span as the parent.
    pub fn filter(self, filter: impl Fn(&CallHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with(|config| config.filter = Some(Arc::new(filter)))
    }

    /// Sets which of the calls that the `tracing_origins` allow carry trace headers.
    pub fn propagate_if(self, propagate: impl Fn(&CallHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with(|config| config.propagate = Some(Arc::new(propagate)))
    }

    /// Sets the names of spans. With `None` a span keeps its default name: `METHOD scheme://host/path`, or the method of a
    /// gRPC call. Use names with few distinct values: `GET /users/{id}`.
    pub fn name(self, name: impl Fn(&CallHead<'_>) -> Option<String> + Send + Sync + 'static) -> Self {
        self.with(|config| config.namer = Some(Arc::new(name)))
    }

    fn with(mut self, set: impl FnOnce(&mut Config)) -> Self {
        set(Arc::make_mut(&mut self.config));
        self
    }
}

impl<S> Layer<S> for SentryClientLayer {
    type Service = SentryClient<S>;

    fn layer(&self, inner: S) -> SentryClient<S> {
        SentryClient::new(inner, Arc::clone(&self.config))
    }
}

impl fmt::Debug for SentryClientLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentryClientLayer").field("config", &self.config).finish()
    }
}
