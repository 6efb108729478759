//! The span of a call that leaves the process.

use std::fmt::Write as _;
use std::ops::Deref;

use sentrace_protocol::{SpanStatus, sensitive};

use crate::headers::TraceHeaders;
use crate::span::{Span, SpanRef};

/// The parts of an outgoing HTTP request that are recorded; adapters fill it from their own types.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutgoingRequest<'a> {
    /// `GET`, in upper case.
    pub method: &'a str,
    /// `http` or `https`; empty stands for `http`.
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
        if !parent.records_children() {
            return Self::new(parent.start_span("http.client", ""));
        }
        let OutgoingRequest { method, path, query, .. } = *request;
        let scheme = if request.scheme.is_empty() { "http" } else { request.scheme };
        let mut text = String::with_capacity(64 + path.len() + query.map_or(0, str::len));
        text.push_str(method);
        text.push(' ');
        let url_at = text.len();
        push_place(scheme, request, &mut text);
        let span = Self::new(parent.start_span("http.client", name.unwrap_or(&text)));
        span.set_origin(origin);
        span.set_data("http.request.method", method);
        let port = request.port.or(match scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        });
        span.record_server(request.host, port);
        span.set_data("url.path", path);
        if let Some(query) = query {
            text.push('?');
            let query_at = text.len();
            sensitive::filter_query_into(query, sensitive::is_sensitive, &mut text);
            span.set_data("url.query", &text[query_at..]);
            // Sentry's conventions disagree on the question mark here, its SDKs leave it out.
            span.set_data("http.query", &text[query_at..]);
        }
        if request.has_credentials {
            let authority_at = url_at + scheme.len() + "://".len();
            text.insert_str(authority_at, "[Filtered]:[Filtered]@");
        }
        span.set_data("url.full", &text[url_at..]);
        span
    }

    /// Any other span of a call, for protocols with names and statuses of their own.
    pub fn new(span: Span) -> Self {
        Self { span: Some(span), ended: false }
    }

    /// No span at all: for a call that is not to be recorded.
    pub fn none() -> Self {
        Self { span: None, ended: true }
    }

    /// Records who is called: `server.address`, where it is known, and `server.port`.
    pub fn record_server(&self, host: &str, port: Option<u16>) {
        if !host.is_empty() {
            self.set_data("server.address", host);
        }
        if let Some(port) = port {
            self.set_data("server.port", port);
        }
    }

    /// What a call inside this span carries; `None` where there is no span, or no trace.
    pub fn trace_headers(&self) -> Option<TraceHeaders> {
        self.span.as_ref()?.trace_headers()
    }

    /// Ends the span with the status code of an HTTP answer.
    pub fn answered(self, status: u16) {
        self.set_data("http.response.status_code", status);
        self.ended_as(SpanStatus::from_http(status));
    }

    /// Ends the span with an error of this kind (`error.type`: `timeout`, `connect`, …): nothing was answered.
    pub fn failed(self, kind: &'static str) {
        self.set_data("error.type", kind);
        self.ended_as(SpanStatus::InternalError);
    }

    /// Ends the span.
    pub fn ended_as(mut self, status: SpanStatus) {
        self.ended = true;
        self.set_status(status);
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

/// `scheme://host:port/path`.
fn push_place(scheme: &str, request: &OutgoingRequest<'_>, into: &mut String) {
    into.push_str(scheme);
    into.push_str("://");
    into.push_str(request.host);
    if let Some(port) = request.port {
        // Writing into a string cannot fail.
        let _ = write!(into, ":{port}");
    }
    into.push_str(request.path);
}
