//! The trace of the process, for what is started where nothing is current.

use super::Client;
use super::current::current_span;
use crate::handle::span::SpanRef;

/// The current span, or the process's own trace where nothing is current.
pub(crate) fn propagated_span() -> SpanRef {
    or_process_trace(current_span())
}

/// What goes out with something that was started under `span`: its trace, or the process's own where there is none.
pub(crate) fn or_process_trace(span: SpanRef) -> SpanRef {
    if !span.is_none() {
        return span;
    }
    Client::global().map_or_else(SpanRef::none, |client| client.process_trace().into_span_ref())
}
