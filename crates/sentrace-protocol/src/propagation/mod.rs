//! What travels between services.

pub mod baggage;
pub mod carrier;
pub mod dsc;
pub mod sentry_trace;
pub mod traceparent;
