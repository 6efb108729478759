//! Puts trace headers on a request.

use http::{HeaderMap, HeaderName, HeaderValue};
use sentrace_core::TraceHeaders;
use sentrace_protocol::{baggage, sentry_trace, traceparent};

const SENTRY_TRACE: HeaderName = HeaderName::from_static(sentry_trace::HEADER);
const BAGGAGE: HeaderName = HeaderName::from_static(baggage::HEADER);
const TRACEPARENT: HeaderName = HeaderName::from_static(traceparent::HEADER);

/// Adds `trace` to `headers`; whether anything was added.
///
/// A `sentry-trace` that the application set stays, and then nothing is added. Other vendors' members of `baggage`
/// stay before ours, and so does a `traceparent` (Sentry SDK specification, *Trace Propagation* 1.9).
pub(crate) fn inject(headers: &mut HeaderMap, trace: TraceHeaders) -> bool {
    if headers.contains_key(SENTRY_TRACE) {
        return false;
    }
    for (name, value) in trace {
        let (name, value) = match name {
            sentry_trace::HEADER => (SENTRY_TRACE, value),
            baggage::HEADER => (BAGGAGE, with_members_of_others(headers, value)),
            traceparent::HEADER if !headers.contains_key(TRACEPARENT) => (TRACEPARENT, value),
            _ => continue,
        };
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    true
}

fn with_members_of_others(headers: &HeaderMap, ours: String) -> String {
    if !headers.contains_key(BAGGAGE) {
        return ours;
    }
    baggage::merge(headers.get_all(BAGGAGE).iter().map(HeaderValue::as_bytes), &ours)
}
