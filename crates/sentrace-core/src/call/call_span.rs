//! The span of a call that leaves the process.

use crate::record::outgoing_request::OutgoingRequest;
use std::borrow::Cow;
use std::ops::Deref;

use sentrace_protocol::{SpanStatus, Value};

use crate::diagnostics::is_debug_enabled;
use crate::handle::span::{Span, SpanRef};
use crate::propagation::trace_headers::TraceHeaders;

/// The span of one outgoing call. Dropped before it was told how the call went, it was cancelled.
#[derive(Debug)]
pub struct CallSpan {
    span: Option<Span>,
    ended: bool,
}

impl CallSpan {
    /// An `http.client` span below `parent`, named `METHOD scheme://host/path` or by `name` (Sentry SDK specification,
    /// *HTTP Client Integrations*; attributes as in Sentry's conventions). `origin` is the adapter's.
    pub fn http(
        parent: &SpanRef,
        origin: &'static str,
        name: Option<&str>,
        request: &OutgoingRequest<'_>,
    ) -> Self {
        let judged = match name {
            Some(name) => Cow::Borrowed(name),
            None if parent.filters_children() => Cow::Owned(request.name()),
            // Debug mode tells why there is no span.
            None if is_debug_enabled() && !parent.records_children() => Cow::Owned(request.name()),
            // The record writes the name where the URL can share it.
            None => Cow::Borrowed(""),
        };
        Self::new(Span(parent.start_child_with(Cow::Borrowed("http.client"), &judged, |record, slot| {
            record.describe_call(slot, origin, name.is_none(), request);
        })))
    }

    /// Any other span of a call, for protocols with names and statuses of their own.
    pub fn new(span: Span) -> Self {
        Self { span: Some(span), ended: false }
    }

    /// No span at all: for a call that is not to be recorded.
    pub fn none() -> Self {
        Self { span: None, ended: true }
    }

    /// What a call inside this span carries; `None` where there is no span, or no trace.
    pub fn trace_headers(&self) -> Option<TraceHeaders> {
        self.span.as_ref()?.trace_headers()
    }

    /// Ends the span with the status code of an HTTP answer.
    pub fn finish_with_status_code(self, status: u16) {
        self.end(SpanStatus::from_http(status), "http.response.status_code", status);
    }

    /// Ends the span with an error of this kind (`error.type`: `timeout`, `connect`, …): nothing was answered.
    pub fn finish_with_error(self, kind: &'static str) {
        self.end(SpanStatus::InternalError, "error.type", kind);
    }

    /// Ends the span.
    pub fn finish_with_status(mut self, status: SpanStatus) {
        self.ended = true;
        self.set_status(status);
    }

    /// Ends the span with one last value, under one lock.
    fn end<'v>(mut self, status: SpanStatus, key: &'static str, value: impl Into<Value<'v>>) {
        self.ended = true;
        let Some(span) = self.span.take() else { return };
        let value = value.into();
        span.finish_with(|record, slot| {
            record.set_data(slot, Cow::Borrowed(key), value);
            if let Some(span) = slot.of_mut(&mut record.spans) {
                span.status = Some(status);
            }
        });
    }
}

impl Deref for CallSpan {
    type Target = SpanRef;

    fn deref(&self) -> &SpanRef {
        const NONE: &SpanRef = &SpanRef::none();
        self.span.as_deref().unwrap_or(NONE)
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        if !self.ended {
            self.set_dropped_status();
        }
    }
}
