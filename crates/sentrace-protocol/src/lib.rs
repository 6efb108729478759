//! Sentry's tracing protocol as values and text: trace headers, baggage, transactions, envelopes.
//!
//! This crate reads no clock, does no I/O, and has no globals and no randomness. Everything that comes from
//! outside is read in linear time, bounded in memory and without panics.
//!
//! - What travels between services: [`SentryTrace`], [`baggage`], [`DynamicSamplingContext`],
//!   [`Traceparent`], read from any [`Carrier`].
//! - What is sent to Sentry: [`TransactionPayload`] with its [`TransactionSpan`]s, or [`StreamedSpan`]s sent individually,
//!   [`ClientReport`], in an [`envelope`], to where a [`Dsn`] says, as long as the [`rate_limits`] allow.
//! - What must not be sent: [`sensitive`], and the literals of [`sql`]. Which host a URL names: [`url`].
//!
//! ```
//! use sentrace_protocol::{Carrier, DynamicSamplingContext, SentryTrace, baggage, sentry_trace};
//!
//! let headers = [
//!     ("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"),
//!     ("baggage", "tenant=7,sentry-sample_rate=0.25,sentry-release=shop%401.4.0"),
//! ];
//!
//! let mut incoming = None;
//! headers.get_all(sentry_trace::HEADER, &mut |value| incoming = SentryTrace::parse_opt(value));
//! assert_eq!(incoming.and_then(|trace| trace.sampled), Some(true));
//!
//! let mut members = String::new();
//! headers.get_all(baggage::HEADER, &mut |value| {
//!     baggage::copy_sentry_members(std::iter::once(value), &mut members);
//! });
//! assert_eq!(DynamicSamplingContext::from_baggage(&members).get("release"), Some("shop@1.4.0"));
//! ```
//!
//! # Features
//!
//! - `http`: [`Carrier`] for `http::HeaderMap`.

pub mod dsn;
pub mod envelope;
mod error;
pub mod ids;
pub mod losses;
mod payload;
mod propagation;
pub mod rate_limits;
mod request;
pub mod sensitive;
pub mod sql;
mod util;

pub use self::dsn::Dsn;
pub use self::envelope::{EnvelopeHeaders, EnvelopeWriter};
pub use self::error::{EncodeError, ParseError};
pub use self::ids::{EventId, Hex, SpanId, TraceId};
pub use self::losses::{Category, ClientReport, DiscardedEvents, Reason};
pub use self::payload::link::{SpanLink, link_type};
pub use self::payload::source::TransactionSource;
pub use self::payload::span_payload::SpanPayload;
pub use self::payload::span_v2::StreamedSpan;
pub use self::payload::status::SpanStatus;
pub use self::payload::transaction::{
    Data, Request, ResponseContext, SdkInfo, Tags, Timestamp, TraceContext, TransactionPayload,
    TransactionSpan, User,
};
pub use self::payload::value::Value;
pub use self::payload::{source, span_name, span_v2, status, transaction, value};
pub use self::propagation::carrier::{Carrier, TraceHeader};
pub use self::propagation::dsc::DynamicSamplingContext;
pub use self::propagation::sentry_trace::SentryTrace;
pub use self::propagation::traceparent::Traceparent;
pub use self::propagation::{baggage, carrier, dsc, sentry_trace, traceparent};
pub use self::rate_limits::RateLimit;
pub use self::request::{forwarded, http_method, url};
