//! Says that something which belongs inside of a `SentryTracingLayer` runs outside of any.

use std::sync::atomic::AtomicBool;

use sentrace_core::{Client, SpanRef, diagnostics};

/// Warns once if `span`, where the request's transaction should be, refers to no trace at all although there is a client:
/// then no `SentryTracingLayer` has seen the request. One that is filtered, or not sampled, has a trace.
pub(crate) fn warn_if_outside(span: &SpanRef, what: &str, warned: &AtomicBool) {
    if span.is_none() {
        warn_outside(what, warned);
    }
}

#[cold]
fn warn_outside(what: &str, warned: &AtomicBool) {
    // Without a client, nothing is traced anyway.
    if Client::global().is_some() {
        diagnostics::warn_once(
            warned,
            format_args!(
                "{what} ran for a request that no SentryTracingLayer has seen, so it does nothing; put SentryTracingLayer \
                 outside of it: after it with axum's Router::layer, before it in a ServiceBuilder. If a task lies \
                 between, as with tower's Buffer, set late_route(true)"
            ),
        );
    }
}
