//! The span of a call that leaves the process.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Deref;

use sentrace_protocol::url::default_port;
use sentrace_protocol::{SpanStatus, Value, http_method};

use crate::diagnostics::debug_is_on;
use crate::handle::span::{Span, SpanRef};
use crate::propagation::trace_headers::TraceHeaders;
use crate::record::{MAX_TEXT, cut};

/// Longest scheme that is shown, in bytes.
const MAX_SCHEME: usize = 64;

/// The parts of an outgoing HTTP request that are recorded; adapters fill it from their own types.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutgoingRequest<'a> {
    /// `GET`, in upper case. A method that is not [known](http_method) is recorded as `_OTHER` and named `HTTP`.
    pub method: &'a str,
    /// `http` or `https`. Empty if it is unknown: then it is shown as `http` before a host, and no port is derived from it.
    pub scheme: &'a str,
    /// The host, an IPv6 address in brackets; empty where unknown.
    pub host: &'a str,
    /// The port, where the URL names one.
    pub port: Option<u16>,
    /// The raw path.
    pub path: &'a str,
    /// The query without its `?`.
    pub query: Option<&'a str>,
    /// Whether the URL has credentials before its host; they are never shown.
    pub has_credentials: bool,
}

impl<'a> OutgoingRequest<'a> {
    fn scheme(&self) -> &'a str {
        if self.scheme.is_empty() { "http" } else { self.scheme }
    }

    /// Appends `scheme://`, unless neither scheme nor host is known.
    pub(crate) fn push_scheme(&self, into: &mut String) {
        if !(self.scheme.is_empty() && self.host.is_empty()) {
            into.push_str(cut(self.scheme(), MAX_SCHEME));
            into.push_str("://");
        }
    }

    pub(crate) fn port_or_default(&self) -> Option<u16> {
        self.port.or_else(|| default_port(self.scheme))
    }

    /// `:port`, where the URL names one.
    pub(crate) fn push_port(&self, into: &mut String) {
        if let Some(port) = self.port {
            // Writing into a string cannot fail.
            let _ = write!(into, ":{port}");
        }
    }

    /// As much as a record takes of it at most: some of it is recorded in several ways.
    pub(crate) fn most_bytes(&self) -> usize {
        let parts = [self.method, self.scheme, self.host, self.path, self.query.unwrap_or_default()];
        4 * parts.iter().map(|part| part.len().min(MAX_TEXT)).sum::<usize>()
    }

    /// `METHOD scheme://host:port/path`: without the query, which would make too many names.
    pub(crate) fn name(&self) -> String {
        let mut name = [http_method::in_names(self.method), " "].concat();
        self.push_scheme(&mut name);
        name.push_str(self.host);
        self.push_port(&mut name);
        name.push_str(self.path);
        name
    }
}

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
            None if parent.judges_children() => Cow::Owned(request.name()),
            // Debug mode tells why there is no span.
            None if debug_is_on() && !parent.records_children() => Cow::Owned(request.name()),
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
    pub fn answered(self, status: u16) {
        self.end(SpanStatus::from_http(status), "http.response.status_code", status);
    }

    /// Ends the span with an error of this kind (`error.type`: `timeout`, `connect`, …): nothing was answered.
    pub fn failed(self, kind: &'static str) {
        self.end(SpanStatus::InternalError, "error.type", kind);
    }

    /// Ends the span.
    pub fn ended_as(mut self, status: SpanStatus) {
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
            self.set_broken_off();
        }
    }
}
