//! The server layer: one transaction for each request.

mod body;
mod future;
mod guard;
mod head;
mod layer;
mod server_timing;
mod service;

pub use self::body::ResponseBody;
pub use self::future::ResponseFuture;
pub use self::head::RequestHead;
pub use self::layer::SentryTracingLayer;
pub use self::service::SentryTracing;
