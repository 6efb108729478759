//! Tower layers for sentrace: one transaction for each request, and CORS for trace headers.
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
pub mod cors;
mod server;

pub use self::cors::{SentryCorsLayer, sentry_headers, sentry_headers_with_traceparent};
pub use self::server::{RequestHead, ResponseBody, ResponseFuture, SentryTracing, SentryTracingLayer};
