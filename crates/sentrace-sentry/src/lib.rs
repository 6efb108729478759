//! sentrace beside the official `sentry` crate: one project, one trace, a Hub for each request.
//!
//! The official crate captures errors, logs and panics; sentrace records traces. Services use this crate through the
//! feature `sentry` of the `sentrace` crate, as `sentrace::sentry`.
//!
//! ```no_run
//! use sentrace_sentry::{SentraceIntegration, options_from};
//!
//! let sentry = sentry::init(
//!     sentry::ClientOptions::new()
//!         .dsn("https://key@o1.ingest.example.com/42")
//!         .release("shop@1.4.0")
//!         .add_integration(SentraceIntegration::new()), // events, logs and panics get the ids of trace and span
//! );
//! let options = options_from(&sentry).traces_sample_rate(0.25); // the same project, release and environment
//! // let _sentrace = sentrace::init(options)?;
//! # drop(options);
//! ```
//!
//! | what | how |
//! |---|---|
//! | the same project, release, environment | [`options_from`] |
//! | the same transport, if required | [`TransportDeliver`] |
//! | events, logs, metrics and panics in traces of sentrace | [`SentraceIntegration`] |
//! | a Hub for each request | `SentryHubLayer` (feature `tower`) |
//! | 5xx responses and errors as events | `SentryHubLayer::capture_failed_requests` |
//!
//! The official crate must not record traces itself: leave its `traces_sample_rate` unset, and use none of
//! `sentry-tower`'s layers.
//!
//! A spawned task continues in the request's span and Hub with both
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
//! The `trace` header of envelopes with errors stays empty, because official transports drop it when they apply their rate
//! limits.

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
