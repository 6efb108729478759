//! A recording client, headers that come in, and what a call would carry.

use std::sync::Arc;

use sentrace_core::testing::{Capture, Captured};
use sentrace_core::{Client, Options, Trace, TraceHeaders};
use sentrace_protocol::DynamicSamplingContext;

pub(crate) const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const PARENT_ID: &str = "b7ad6b7169203331";
pub(crate) const DEFERRED: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
pub(crate) const SAMPLED: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
pub(crate) const UNSAMPLED: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0";

/// Headers of one message, in order; names may come twice.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn client(options: Options) -> (Client, Arc<Capture>) {
    Capture::client(options).expect("the options of a test are right")
}

/// Samples everything that begins here.
pub(crate) fn recording() -> (Client, Arc<Capture>) {
    client(Options::new().traces_sample_rate(1.0))
}

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

/// The only transaction; more or fewer fail the test.
pub(crate) fn only(capture: &Capture) -> Captured {
    let mut captured = capture.take();
    assert_eq!(captured.len(), 1, "exactly one transaction: {captured:#?}");
    captured.remove(0)
}
