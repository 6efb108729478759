//! sentrace beside the official `sentry` crate: one project, one trace, a Hub for each request.
//!
//! Errors, logs and panics stay with the official crate; traces are recorded here. Services use this crate through the
//! feature `sentry` of the `sentrace` crate, as `sentrace::sentry`.
//!
//! ```no_run
//! use sentrace_sentry::{SentraceIntegration, options_from};
//!
//! let sentry = sentry::init(
//!     sentry::ClientOptions::new()
//!         .dsn("https://key@o1.ingest.example.com/42")
//!         .release("shop@1.4.0")
//!         .add_integration(SentraceIntegration::new()), // events, logs and panics name our trace and span
//! );
//! let options = options_from(&sentry).traces_sample_rate(0.25); // the same project, release and environment
//! // let _sentrace = sentrace::init(options)?;
//! # drop(options);
//! ```
//!
//! | what | how |
//! |---|---|
//! | the same project, release, environment | [`options_from`] |
//! | the same transport, where it must be | [`TransportDeliver`] |
//! | events, logs, metrics and panics in our traces | [`SentraceIntegration`] |
//! | a Hub for each request | `SentryHubLayer` (feature `tower`) |
//! | 5xx answers and errors as events | `SentryHubLayer::capture_failed_requests` |
//!
//! The official crate must not record traces itself: leave its `traces_sample_rate` unset, and take none of
//! `sentry-tower`'s layers.
//!
//! A task that is spawned goes on in the request's span and Hub with both of
//! [`in_current_span`](sentrace_core::InCurrentSpan::in_current_span) and
//! [`bind_hub`](sentry_core::SentryFutureExt::bind_hub):
//!
//! ```
//! use sentrace_core::InCurrentSpan;
//! use sentry::{Hub, SentryFutureExt};
//!
//! # async fn send_mail() {}
//! # async fn handler() {
//! tokio::spawn(send_mail().bind_hub(Hub::current()).in_current_span());
//! # }
//! ```
//!
//! The `trace` header of the envelopes that errors travel in stays empty: official transports throw it away when they
//! look at their rate limits.

mod error;
#[cfg(feature = "tower")]
mod hub;
mod integration;
mod options;
mod transport;

pub use self::error::TransportError;
#[cfg(feature = "tower")]
pub use self::hub::{HubBody, HubFuture, SentryHub, SentryHubLayer};
pub use self::integration::SentraceIntegration;
pub use self::options::options_from;
pub use self::transport::TransportDeliver;
#[cfg(feature = "tower")]
pub use sentrace_core::adapter::HandlerError;
