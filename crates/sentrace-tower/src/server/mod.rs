//! The server layer: one transaction per request.

mod body;
mod client_address;
mod config;
mod duplicate;
mod future;
mod guard;
mod head;
mod layer;
mod long_lived;
mod method_semantics;
mod open;
mod preflight;
mod request_handle;
mod response_head;
mod server_timing;
mod service;

pub use self::body::ResponseBody;
pub use self::client_address::{ForwardedHeader, NetworkError, PeerAddress, TrustedProxies};
pub use self::future::ResponseFuture;
pub use self::head::RequestHead;
pub use self::layer::SentryTracingLayer;
pub use self::long_lived::{LongLived, UpgradeGuard};
pub(crate) use self::request_handle::TransactionHandle;
pub use self::service::SentryTracing;
