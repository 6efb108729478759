//! The span of an outgoing call.

use crate::decide::ignore::StartAttributes;
use crate::record::outgoing_request::OutgoingRequest;
use std::borrow::Cow;
use std::ops::Deref;

use sentrace_protocol::{SpanStatus, Value};

use crate::diagnostics::is_debug_enabled;
use crate::handle::span::{Span, SpanRef};
use crate::propagation::trace_headers::TraceHeaders;

/// The span of one outgoing call. If it is dropped before the outcome is known, its status is
/// `cancelled`.
#[derive(Debug)]
pub struct CallSpan {
    span: Option<Span>,
    ended: bool,
}

impl CallSpan {
    /// Starts an `http.client` span below `parent`, named by `name` or `METHOD scheme://host/path`.
    ///
    /// `origin` is the adapter's. See *HTTP Client Integrations* in the Sentry SDK specification;
    /// attributes follow Sentry's conventions.
    pub fn http(
        parent: &SpanRef,
        origin: &'static str,
        name: Option<&str>,
        request: &OutgoingRequest<'_>,
    ) -> Self {
        let judged = match name {
            Some(name) => Cow::Borrowed(name),
            None if parent.filters_children() => Cow::Owned(request.name()),
            // Debug mode explains why there is no span, and needs its name.
            None if is_debug_enabled() && !parent.records_children() => Cow::Owned(request.name()),
            // The record writes the name, which shares its text with the URL.
            None => Cow::Borrowed(""),
        };
        let known = StartAttributes { of: request, origin, derives_name: name.is_none() };
        Self::new(Span(parent.start_child_with(
            Cow::Borrowed("http.client"),
            &judged,
            Some(known),
            |record, slot| record.describe_call(slot, origin, name.is_none(), request),
        )))
    }

    /// Wraps any other span of a call, for protocols with their own names and statuses.
    pub fn new(span: Span) -> Self {
        Self { span: Some(span), ended: false }
    }

    /// Returns a call span without a span, for a call that is not recorded.
    pub fn none() -> Self {
        Self { span: None, ended: true }
    }

    /// Returns the headers for a call inside this span, or `None` if there is no span or no trace.
    pub fn trace_headers(&self) -> Option<TraceHeaders> {
        self.span.as_ref()?.trace_headers()
    }

    /// Ends the span with the status code of an HTTP response.
    pub fn finish_with_status_code(self, status: u16) {
        self.end(SpanStatus::from_http(status), "http.response.status_code", status);
    }

    /// Ends the span with an error of this kind (`error.type`: `timeout`, `connect`, …), because
    /// there was no response.
    pub fn finish_with_error(self, kind: &'static str) {
        self.end(SpanStatus::InternalError, "error.type", kind);
    }

    /// Ends the span with a status.
    pub fn finish_with_status(mut self, status: SpanStatus) {
        self.ended = true;
        self.set_status(status);
    }

    /// Ends the span with one last value, under a single lock.
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
