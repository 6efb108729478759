//! What is recorded of a request.

use std::fmt::Write as _;

use http::Method;
use reqwest::{Response, Url};
use reqwest_middleware::{Error, Result};
use sentrace_core::{Span, SpanRef, TraceHeaders};
use sentrace_protocol::{SpanStatus, sensitive};

/// The `http.client` span of one call. Dropped before its end, it was cancelled.
#[derive(Debug)]
pub(crate) struct CallSpan {
    span: Span,
    ended: bool,
}

impl CallSpan {
    pub(crate) fn start(parent: &SpanRef, method: &Method, url: &Url) -> Self {
        if !parent.records_children() {
            return Self { span: parent.start_span("http.client", ""), ended: false };
        }
        let mut text = String::with_capacity(method.as_str().len() + 1 + url.as_str().len());
        text.push_str(method.as_str());
        text.push(' ');
        let url_at = text.len();
        push_place(url, &mut text);
        let span = parent.start_span("http.client", &text);
        span.set_origin("auto.http.reqwest");
        span.set_data("http.request.method", method.as_str());
        if let Some(host) = url.host_str() {
            span.set_data("server.address", host);
        }
        if let Some(port) = url.port_or_known_default() {
            span.set_data("server.port", port);
        }
        span.set_data("url.path", url.path());
        if let Some(query) = url.query() {
            text.push('?');
            let query_at = text.len();
            sensitive::filter_query_into(query, sensitive::is_sensitive, &mut text);
            span.set_data("url.query", &text[query_at..]);
            // Sentry's conventions disagree on the question mark here, its SDKs leave it out.
            span.set_data("http.query", &text[query_at..]);
        }
        if !url.username().is_empty() || url.password().is_some() {
            let authority_at = url_at + url.scheme().len() + "://".len();
            text.insert_str(authority_at, "[Filtered]:[Filtered]@");
        }
        span.set_data("url.full", &text[url_at..]);
        Self { span, ended: false }
    }

    /// What a call inside this span carries.
    pub(crate) fn trace_headers(&self) -> Option<TraceHeaders> {
        self.span.trace_headers()
    }

    /// Ends the span with what came of the call; `hops` are the redirects that are known to have been followed.
    pub(crate) fn end(mut self, answer: &Result<Response>, hops: u32) {
        self.ended = true;
        match answer {
            Ok(response) => {
                let code = response.status().as_u16();
                self.span.set_data("http.response.status_code", code);
                self.span.set_status(SpanStatus::from_http(code));
            }
            Err(error) => {
                self.span.set_data("error.type", error_type(error));
                self.span.set_status(SpanStatus::InternalError);
            }
        }
        if hops > 0 {
            self.span.set_data("http.request.resend_count", hops);
        }
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        if !self.ended {
            let panicked = std::thread::panicking();
            self.span.set_status(if panicked { SpanStatus::InternalError } else { SpanStatus::Cancelled });
        }
    }
}

/// `scheme://host:port/path`.
fn push_place(url: &Url, into: &mut String) {
    into.push_str(url.scheme());
    into.push_str("://");
    into.push_str(url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        // Writing into a string cannot fail.
        let _ = write!(into, ":{port}");
    }
    into.push_str(url.path());
}

fn error_type(error: &Error) -> &'static str {
    match error {
        error if error.is_timeout() => "timeout",
        error if error.is_connect() => "connect",
        error if error.is_redirect() => "redirect",
        error if error.is_body() => "body",
        error if error.is_decode() => "decode",
        error if error.is_builder() => "builder",
        error if error.is_request() => "request",
        Error::Middleware(_) => "middleware",
        Error::Reqwest(_) => "other",
    }
}
