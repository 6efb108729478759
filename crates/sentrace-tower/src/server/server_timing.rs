//! The trace in the `Server-Timing` header of a response, which scripts of a page can read.

use http::{HeaderMap, HeaderName, HeaderValue};
use sentrace_core::TraceHeaders;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Appends the field. Those that the service has set stay.
pub(super) fn append(headers: &mut HeaderMap, trace: &TraceHeaders) {
    let mut field = format!("sentry-trace;desc=\"{}\"", trace.sentry_trace());
    if let Some(baggage) = trace.baggage() {
        field.push_str(", baggage;desc=\"");
        for character in baggage.chars() {
            // A quoted-string (RFC 9110, 5.6.4) escapes these two.
            if matches!(character, '"' | '\\') {
                field.push('\\');
            }
            field.push(character);
        }
        field.push('"');
    }
    if let Ok(field) = HeaderValue::try_from(field) {
        headers.append(SERVER_TIMING, field);
    }
}
