//! Tower layers for sentrace: one transaction for each request, a span for each call, and CORS for trace headers.
//!
//! ```
//! use sentrace_tower::{SentryCorsLayer, SentryTracingLayer};
//! use tower::ServiceBuilder;
//!
//! // Outermost first: the trace, the CORS helper, then whatever the service needs.
//! let layers = ServiceBuilder::new().layer(SentryTracingLayer::new()).layer(SentryCorsLayer::new());
//! ```

#[cfg(feature = "axum")]
mod axum;
mod client;
pub mod cors;
mod grpc;
mod job;
pub mod middleware_span;
mod misplaced;
mod panics;
mod request_size;
mod server;

#[cfg(feature = "axum")]
pub use self::axum::{CurrentTransaction, SentryRoute, SentryRouteLayer};
pub use self::client::{CallHead, ClientBody, ClientFuture, SentryClient, SentryClientLayer};
pub use self::cors::{SentryCorsLayer, sentry_headers, sentry_headers_with_traceparent};
pub use self::job::{JobFuture, JobHead, SentryJob, SentryJobLayer};
pub use self::middleware_span::SentryMiddlewareSpanLayer;
pub use self::request_size::{CountedBody, SentryRequestSize, SentryRequestSizeLayer};
pub use self::server::{
    ForwardedHeader, LongLived, NetworkError, PeerAddress, RequestHead, ResponseBody, ResponseFuture,
    SentryTracing, SentryTracingLayer, TrustedProxies, UpgradeGuard,
};
pub use sentrace_core::adapter::HandlerError;
