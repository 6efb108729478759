//! Workers that are tower services: each job is a transaction in the trace of the producer.

mod config;
mod future;
mod head;
mod layer;
mod service;
#[cfg(test)]
mod tests;

pub use self::future::JobFuture;
pub use self::head::JobHead;
pub use self::layer::SentryJobLayer;
pub use self::service::SentryJob;
