//! The span of a call that leaves the process.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Deref;

use sentrace_protocol::{SpanStatus, Value, sensitive};

use crate::headers::TraceHeaders;
use crate::record::{Record, Slot, Text};
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

impl<'a> OutgoingRequest<'a> {
    fn scheme(&self) -> &'a str {
        if self.scheme.is_empty() { "http" } else { self.scheme }
    }

    fn port_or_default(&self) -> Option<u16> {
        self.port.or(match self.scheme() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        })
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
        // All of it under one lock; composed only where it is recorded.
        Self::new(Span(parent.start_below(|trace, live, parent| {
            let text = CallText::of(request);
            let description = name.unwrap_or_else(|| text.name());
            let (span_id, slot) =
                trace.start_span(live, parent, Cow::Borrowed("http.client"), description)?;
            if let Some((record, slot)) = live.record_of(slot, span_id) {
                record.describe_call(slot, origin, request, &text);
            }
            Ok((span_id, slot))
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

/// What is told of a call in one text, `METHOD scheme://host:port/path?query`, of which most else is a part.
struct CallText {
    text: String,
    url: usize,
    authority: usize,
    query: usize,
}

impl CallText {
    fn of(request: &OutgoingRequest<'_>) -> Self {
        let OutgoingRequest { method, host, port, path, query, .. } = *request;
        let mut text = String::with_capacity(64 + path.len() + query.map_or(0, str::len));
        text.push_str(method);
        text.push(' ');
        let url = text.len();
        text.push_str(request.scheme());
        text.push_str("://");
        let authority = text.len();
        text.push_str(host);
        if let Some(port) = port {
            // Writing into a string cannot fail.
            let _ = write!(text, ":{port}");
        }
        text.push_str(path);
        let query_at = text.len();
        if let Some(query) = query {
            text.push('?');
            sensitive::filter_query_into(query, sensitive::is_sensitive, &mut text);
        }
        Self { text, url, authority, query: query_at }
    }

    /// Without the query, which would make too many names.
    fn name(&self) -> &str {
        &self.text[..self.query]
    }

    fn url(&self) -> &str {
        &self.text[self.url..]
    }

    /// Without secrets and without its question mark.
    fn query(&self) -> Option<&str> {
        self.text[self.query..].strip_prefix('?')
    }

    /// The URL of a request that has credentials.
    fn url_with_credentials(&self) -> String {
        let (scheme, rest) = self.text[self.url..].split_at(self.authority - self.url);
        [scheme, "[Filtered]:[Filtered]@", rest].concat()
    }
}

impl Record {
    /// Adds what is known of a call when it begins.
    fn describe_call(
        &mut self,
        slot: Slot,
        origin: &'static str,
        request: &OutgoingRequest<'_>,
        text: &CallText,
    ) {
        if let Some(span) = slot.of_mut(&mut self.spans) {
            span.origin = Text::Literal(origin);
        }
        if let Some(port) = request.port_or_default() {
            self.set_data(slot, Cow::Borrowed("server.port"), port.into());
        }
        let with_credentials;
        let url = if request.has_credentials {
            with_credentials = text.url_with_credentials();
            &with_credentials
        } else {
            text.url()
        };
        let query = text.query();
        self.set_texts(
            slot,
            [
                ("http.request.method", Some(request.method)),
                ("server.address", Some(request.host).filter(|host| !host.is_empty())),
                ("url.path", Some(request.path)),
                ("url.query", query),
                // Sentry's conventions disagree on the question mark here, its SDKs leave it out.
                ("http.query", query),
                ("url.full", Some(url)),
            ],
        );
    }
}
