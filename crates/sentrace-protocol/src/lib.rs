//! Sentry's tracing protocol as values and text: trace headers, baggage, transactions, envelopes.
//!
//! This crate reads no clock, does no I/O, and has no globals and no randomness. Everything that comes from
//! outside is read in linear time, bounded in memory and without panics.
//!
//! - What travels between services: [`SentryTrace`], [`baggage`], [`DynamicSamplingContext`],
//!   [`Traceparent`], read from any [`Carrier`].
//! - What is sent to Sentry: [`Transaction`] with its [`Span`]s or spans by themselves ([`span_v2`]),
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

pub mod baggage;
pub mod carrier;
pub mod dsc;
pub mod dsn;
pub mod envelope;
mod error;
pub mod forwarded;
mod hex;
pub mod http_method;
pub mod ids;
mod json_size;
pub mod losses;
pub mod rate_limits;
mod scan;
pub mod sensitive;
pub mod sentry_trace;
pub mod source;
pub mod span_v2;
pub mod sql;
pub mod status;
mod text_enum;
pub mod traceparent;
pub mod transaction;
pub mod url;
pub mod value;

pub use self::carrier::{Carrier, TraceHeader};
pub use self::dsc::DynamicSamplingContext;
pub use self::dsn::Dsn;
pub use self::envelope::{EnvelopeHeaders, EnvelopeWriter};
pub use self::error::{EncodeError, ParseError};
pub use self::ids::{EventId, Hex, SpanId, TraceId};
pub use self::losses::{Category, ClientReport, DiscardedEvents, Reason};
pub use self::rate_limits::RateLimit;
pub use self::sentry_trace::SentryTrace;
pub use self::source::TransactionSource;
pub use self::status::SpanStatus;
pub use self::traceparent::Traceparent;
pub use self::transaction::{
    Data, Request, ResponseContext, SdkInfo, Span, Tags, Timestamp, TraceContext, Transaction, User,
};
pub use self::value::Value;
