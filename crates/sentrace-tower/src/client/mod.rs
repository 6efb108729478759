//! The client layer: a span for each call, and trace headers on it.

mod body;
mod call;
mod config;
mod future;
mod head;
mod layer;
mod service;

pub use self::body::ClientBody;
pub use self::future::ClientFuture;
pub use self::head::CallHead;
pub use self::layer::SentryClientLayer;
pub use self::service::SentryClient;
