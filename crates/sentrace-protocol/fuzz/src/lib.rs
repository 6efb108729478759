//! What must hold of sentrace-protocol's parsers for every input: one module for each, with a `check` that
//! panics when it does not.
//!
//! The targets in `fuzz_targets/` and the replay in `tests/` call the same checks.

#![forbid(unsafe_code)]

pub mod baggage;
pub mod carrier;
pub mod dsc;
pub mod dsn;
pub mod envelope;
pub mod forwarded;
pub mod ids;
mod input;
pub mod rate_limits;
pub mod sensitive;
pub mod sentry_trace;
pub mod sql;
pub mod timestamp;
pub mod traceparent;
pub mod url;
pub mod words;

/// A target: its name, which is its corpus's too, and its check.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 15] = [
    ("baggage", baggage::check),
    ("carrier", carrier::check),
    ("dsc", dsc::check),
    ("dsn", dsn::check),
    ("envelope", envelope::check),
    ("forwarded", forwarded::check),
    ("ids", ids::check),
    ("rate_limits", rate_limits::check),
    ("sensitive", sensitive::check),
    ("sentry_trace", sentry_trace::check),
    ("sql", sql::check),
    ("timestamp", timestamp::check),
    ("traceparent", traceparent::check),
    ("url", url::check),
    ("words", words::check),
];
