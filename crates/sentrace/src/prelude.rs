//! The items that most services use: `use sentrace::prelude::*;`.
//!
//! Two items are left out so that `tracing` can be used beside it. Import them by name:
//! - [`InCurrentSpan`](crate::InCurrentSpan): its method is also one of `tracing::Instrument`, and code with both traits in scope
//!   could call neither.
//! - [`Span`](crate::Span): it has the name of `tracing::Span`. Most code gets its spans from functions and never names the type.

pub use sentrace_core::carriers::env::TracedCommand;
pub use sentrace_core::{Client, Options, Origin, SpanRef, Transaction};
pub use sentrace_protocol::{SpanStatus, TransactionSource};
#[cfg(feature = "reqwest")]
pub use sentrace_reqwest::{SentryTracingMiddleware, WithTraceHeaders};
#[cfg(feature = "tower")]
pub use sentrace_tower::{SentryClientLayer, SentryCorsLayer, SentryTracingLayer, sentry_headers};
