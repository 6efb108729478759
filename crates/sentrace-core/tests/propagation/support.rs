//! A recording client, incoming headers, and the headers of a call.

use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{Client, Trace, TraceHeaders};
use sentrace_protocol::DynamicSamplingContext;
pub(crate) use sentrace_testkit::{
    PARENT_ID, SENTRY_TRACE as SAMPLED, TRACE_ID, recording, recording_with as client,
};

pub(crate) const DEFERRED: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
pub(crate) const UNSAMPLED: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0";

/// The headers of one message, in order; names may occur twice.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn continued(client: &Client, headers: Headers<'_>) -> Trace {
    client.continue_trace(headers)
}

pub(crate) fn is_the_callers(trace: &Trace) -> bool {
    trace.trace_id().expect("there is a client").to_string() == TRACE_ID
}

pub(crate) fn carried(trace: &Trace) -> TraceHeaders {
    trace.trace_headers().expect("there is a client")
}

/// Returns the sampling context in a `baggage` header.
pub(crate) fn context_of(headers: &TraceHeaders) -> DynamicSamplingContext {
    DynamicSamplingContext::from_baggage(headers.baggage().unwrap_or_default())
}

/// Takes the only transaction; more or fewer fail the test.
pub(crate) fn only(capture: &Capture) -> CapturedTransaction {
    sentrace_testkit::only(capture.take())
}
