//! Warns about code that belongs inside a `SentryTracingLayer` and runs outside.

use std::sync::atomic::AtomicBool;

use sentrace_core::{Client, SpanRef, diagnostics};

/// Warns once if `span`, which should be the request's transaction, refers to no trace although there is a client. Then the
/// request has not passed a `SentryTracingLayer`: one that is filtered or not sampled has a trace.
pub(crate) fn warn_if_outside(span: &SpanRef, what: &str, warned: &AtomicBool) {
    if span.is_none() {
        warn_outside(what, warned);
    }
}

#[cold]
fn warn_outside(what: &str, warned: &AtomicBool) {
    // Without a client, nothing is traced.
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
