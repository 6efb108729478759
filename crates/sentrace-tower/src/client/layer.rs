//! The layer and all that can be set on it.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use sentrace_core::Client;
use tower_layer::Layer;

use super::config::Config;
use super::head::CallHead;
use super::service::SentryClient;

/// Makes each call of an HTTP client an `http.client` span of the current transaction, and carries the trace to the
/// hosts of [`Options::tracing_origins`](sentrace_core::Options::tracing_origins) (Sentry SDK specification, *HTTP
/// Client Integrations* and *Trace Propagation* 1.9).
///
/// For clients that are tower services: hyper-util's, tonic's channels, and what is built on them. For reqwest there
/// is a middleware, which guards redirects, too.
///
/// Without a current transaction the call still carries the trace that it belongs to. Requests to the DSN's host are
/// left alone, and so is a request to which the application gave a `sentry-trace` of its own. Headers that a gateway hands on
/// from the request it serves are replaced, whether or not they were believed, and so are those that this process put on a
/// request which is sent again; where the trace may not go, both are removed
/// ([`OutgoingCall::inject`](sentrace_core::adapter::OutgoingCall::inject)). The answer, and every error, pass through as they are.
///
/// A layer that follows redirects or tries again belongs outside this one: then each attempt is a span, and each is judged
/// by where it goes.
///
/// A span ends with the answer's head, as `cancelled` where the call is dropped before it, and as `internal_error` with
/// the error's type where there is no answer.
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
/// Clients poll the body of a request on the task of its connection, where nothing is current. A body that starts spans takes
/// the current one along:
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
/// Calls of gRPC are told by their content type. They are `grpc.client` spans named `/pkg.Service/Method`, with the
/// sixteen codes of `grpc-status` as their status, from the head or from the trailers; they end with their stream. A
/// stream that is dropped before its trailers was cancelled.
///
/// The requests of a tonic client name no host, and where a request goes must be known before headers leave:
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
    /// The layer as most clients want it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The client whose `tracing_origins` decide, instead of the current or global one.
    pub fn client(self, client: Client) -> Self {
        self.with(|config| config.client = Some(client))
    }

    /// Where requests go whose URI names no host, as those of a tonic client: scheme and authority are looked at.
    pub fn endpoint(self, endpoint: Uri) -> Self {
        self.with(|config| config.endpoint = Some(endpoint))
    }

    /// Which calls become spans. Others still carry the trace on: what they call finds the current span.
    pub fn filter(self, filter: impl Fn(&CallHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with(|config| config.filter = Some(Arc::new(filter)))
    }

    /// Which calls may carry trace headers, of those that the `tracing_origins` allow.
    pub fn propagate_if(self, propagate: impl Fn(&CallHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with(|config| config.propagate = Some(Arc::new(propagate)))
    }

    /// Names spans; `None` leaves the name as it would be: `METHOD scheme://host/path`, or the method of a gRPC call.
    /// Good names are few: `GET /users/{id}`.
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
