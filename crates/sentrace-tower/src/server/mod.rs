//! The server layer: one transaction for each request.

mod at_head;
mod body;
mod client_address;
mod config;
mod future;
mod guard;
mod head;
mod layer;
mod long_lived;
mod mark;
mod preflight;
mod request_kind;
mod request_size;
mod request_span;
mod server_timing;
mod service;

pub use self::body::ResponseBody;
pub use self::client_address::{ForwardedHeader, NetworkError, PeerAddress, TrustedProxies};
pub use self::future::ResponseFuture;
pub use self::head::RequestHead;
pub use self::layer::SentryTracingLayer;
pub use self::long_lived::{LongLived, RequestHold};
pub use self::request_size::{CountedBody, RequestSize, RequestSizeLayer};
#[cfg(feature = "axum")]
pub(crate) use self::request_span::RequestSpan;
pub use self::service::SentryTracing;
