//! A recording client, headers that come in, and what a call would carry.

use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{Client, Trace, TraceHeaders};
use sentrace_protocol::DynamicSamplingContext;
pub(crate) use sentrace_testkit::{
    PARENT_ID, SENTRY_TRACE as SAMPLED, TRACE_ID, recording, recording_with as client,
};

pub(crate) const DEFERRED: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
pub(crate) const UNSAMPLED: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0";

/// Headers of one message, in order; names may come twice.
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

/// The sampling context that a `baggage` header carries.
pub(crate) fn context_of(headers: &TraceHeaders) -> DynamicSamplingContext {
    DynamicSamplingContext::from_baggage(headers.baggage().unwrap_or_default())
}

/// Takes the only transaction; more or fewer fail the test.
pub(crate) fn only(capture: &Capture) -> CapturedTransaction {
    sentrace_testkit::only(capture.take())
}
