//! What most services name: `use sentrace::prelude::*;`.

pub use sentrace_core::carriers::env::TracedCommand;
pub use sentrace_core::{Client, InCurrentSpan, Options, Origin, Span, SpanRef, Transaction};
pub use sentrace_protocol::{SpanStatus, TransactionSource};
#[cfg(feature = "reqwest")]
pub use sentrace_reqwest::{SentryTracingMiddleware, WithTraceHeaders};
#[cfg(feature = "tower")]
pub use sentrace_tower::{SentryClientLayer, SentryCorsLayer, SentryTracingLayer, sentry_headers};
