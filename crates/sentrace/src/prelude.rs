//! What most services name: `use sentrace::prelude::*;`.
//!
//! Without [`InCurrentSpan`](crate::InCurrentSpan), whose method is also one of `tracing::Instrument`: code that uses both
//! traits could not call either. Import it by name where you need it.

pub use sentrace_core::carriers::env::TracedCommand;
pub use sentrace_core::{Client, Options, Origin, Span, SpanRef, Transaction};
pub use sentrace_protocol::{SpanStatus, TransactionSource};
#[cfg(feature = "reqwest")]
pub use sentrace_reqwest::{SentryTracingMiddleware, WithTraceHeaders};
#[cfg(feature = "tower")]
pub use sentrace_tower::{SentryClientLayer, SentryCorsLayer, SentryTracingLayer, sentry_headers};
