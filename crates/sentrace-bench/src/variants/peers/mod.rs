//! Other crates for the same purpose, configured as documented.

mod axum_tracing_opentelemetry;
mod counting;
mod opentelemetry;
mod reqwest_tracing;
mod sentry;
mod sentry_outgoing;
mod tower_http;
mod tracing_spans;

use crate::variant::Variant;

/// Returns all of them.
pub fn all() -> Vec<Variant> {
    [
        tower_http::VARIANTS,
        opentelemetry::VARIANTS,
        axum_tracing_opentelemetry::VARIANTS,
        sentry::VARIANTS,
        tracing_spans::VARIANTS,
        sentry_outgoing::VARIANTS,
        reqwest_tracing::VARIANTS,
    ]
    .concat()
}

pub use self::sentry::delivering as sentry_delivering;
