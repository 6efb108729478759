//! A Hub for each request.

mod body;
mod bound;
mod config;
mod failure;
mod future;
mod head;
mod layer;
mod service;
mod thread;

pub use self::body::HubBody;
pub use self::future::HubFuture;
pub use self::layer::SentryHubLayer;
pub use self::service::SentryHub;
