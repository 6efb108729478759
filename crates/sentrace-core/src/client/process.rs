//! The process's own trace, for what starts while nothing is current.

use super::Client;
use super::current::current_span;
use crate::handle::span::SpanRef;

/// Returns the current span, or the process's own trace if nothing is current.
pub(crate) fn propagated_span() -> SpanRef {
    or_process_trace(current_span())
}

/// Returns `span`, or the process's own trace if `span` refers to no trace.
pub(crate) fn or_process_trace(span: SpanRef) -> SpanRef {
    if !span.is_none() {
        return span;
    }
    Client::global().map_or_else(SpanRef::none, |client| client.process_trace().into_span_ref())
}
