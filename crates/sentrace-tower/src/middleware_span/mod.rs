//! Spans for the time that a middleware spends on a request.

mod config;
mod future;
mod inner;
mod layer;
mod readiness;
mod service;
mod span;

pub use self::future::MiddlewareSpanFuture;
pub use self::inner::{InnerFuture, InnerService};
pub use self::layer::SentryMiddlewareSpanLayer;
pub use self::service::SentryMiddlewareSpan;
