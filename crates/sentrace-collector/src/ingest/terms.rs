//! The vocabulary of Sentry. It is repeated here on purpose: a checker that shared the SDK's tables
//! would also share its mistakes.

use super::fields::Fields;
use super::findings::{Findings, quoted};

/// Span statuses. Sentry SDK specification, *Span Status*.
const STATUSES: [&str; 18] = [
    "ok",
    "cancelled",
    "unknown",
    "unknown_error",
    "invalid_argument",
    "deadline_exceeded",
    "not_found",
    "already_exists",
    "permission_denied",
    "resource_exhausted",
    "failed_precondition",
    "aborted",
    "out_of_range",
    "unimplemented",
    "internal_error",
    "unavailable",
    "data_loss",
    "unauthenticated",
];

/// Sources of a transaction name. Sentry SDK specification, *Event Payloads: Transaction*.
const SOURCES: [&str; 6] = ["custom", "url", "route", "view", "component", "task"];

/// Reasons of a client report. Sentry SDK specification, *Client Reports* 1.20.
const REASONS: [&str; 14] = [
    "queue_overflow",
    "cache_overflow",
    "buffer_overflow",
    "ratelimit_backoff",
    "network_error",
    "send_error",
    "internal_sdk_error",
    "sample_rate",
    "before_send",
    "event_processor",
    "insufficient_data",
    "backpressure",
    "ignored",
    "invalid",
];

/// Data categories. Sentry SDK specification, *Rate Limiting*.
const CATEGORIES: [&str; 17] = [
    "default",
    "error",
    "transaction",
    "span",
    "monitor",
    "log_item",
    "log_byte",
    "session",
    "attachment",
    "profile",
    "profile_chunk",
    "replay",
    "feedback",
    "trace_metric",
    "trace_metric_byte",
    "security",
    "internal",
];

/// Item types. Sentry SDK specification, *Envelope Items*.
const ITEMS: [&str; 24] = [
    "attachment",
    "check_in",
    "client_report",
    "event",
    "feedback",
    "form_data",
    "log",
    "metric_buckets",
    "nel",
    "otel_log",
    "profile",
    "profile_chunk",
    "raw_security",
    "replay_event",
    "replay_recording",
    "replay_video",
    "session",
    "sessions",
    "span",
    "statsd",
    "trace_metric",
    "transaction",
    "unreal_report",
    "user_report",
];

pub(crate) fn is_reason(word: &str) -> bool {
    REASONS.contains(&word)
}

pub(crate) fn is_category(word: &str) -> bool {
    CATEGORIES.contains(&word)
}

pub(crate) fn is_status(word: &str) -> bool {
    STATUSES.contains(&word)
}

pub(crate) fn is_item(word: &str) -> bool {
    ITEMS.contains(&word)
}

/// Reads the `status` of a span or trace context.
pub(crate) fn status(fields: Fields<'_>, findings: &mut Findings) -> Option<String> {
    let status = fields.string("status", findings)?;
    if !STATUSES.contains(&status.as_str()) {
        let message = format!("{} is not a span status; Sentry shows it as unknown", quoted(&status));
        findings.warning(fields.path("status"), message);
    }
    Some(status)
}

/// Reads the `source` of a `transaction_info`.
pub(crate) fn source(fields: Fields<'_>, findings: &mut Findings) -> Option<String> {
    let source = fields.string("source", findings)?;
    check_source(&source, &fields.path("source"), findings);
    Some(source)
}

/// Checks the source of a transaction name.
pub(crate) fn check_source(source: &str, path: &str, findings: &mut Findings) {
    if !SOURCES.contains(&source) {
        let message = format!("{} is not a source; use one of {}", quoted(source), SOURCES.join(", "));
        findings.warning(path, message);
    }
}

/// Reads the `origin` of a span or trace context.
pub(crate) fn origin(fields: Fields<'_>, findings: &mut Findings) -> Option<String> {
    let origin = fields.string("origin", findings)?;
    check_origin(&origin, &fields.path("origin"), findings);
    Some(origin)
}

/// Checks an origin: `manual` or `auto`, followed by parts of `[A-Za-z0-9_]`.
pub(crate) fn check_origin(origin: &str, path: &str, findings: &mut Findings) {
    let mut parts = origin.split('.');
    let kind = parts.next().is_some_and(|first| first == "manual" || first == "auto");
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !kind || !parts.all(word) {
        let rule = "is not an origin; write manual or auto, followed by parts of letters, digits and _";
        findings.warning(path, format!("{} {rule}, such as auto.http.tower", quoted(origin)));
    }
}
