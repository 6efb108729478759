//! What is recorded of a request.

use reqwest::{Request, Response, Url};
use reqwest_middleware::{Error, Result};
use sentrace_core::{CallSpan, OutgoingRequest, SpanRef};

/// The `http.client` span of one call.
pub(crate) fn start(parent: &SpanRef, name: Option<&str>, request: &Request) -> CallSpan {
    CallSpan::http(parent, "auto.http.reqwest", name, &parts(request.method().as_str(), request.url()))
}

/// Ends the span with what came of the call; `hops` are the redirects that are known to have been followed.
pub(crate) fn end(span: CallSpan, answer: &Result<Response>, hops: u32) {
    if hops > 0 {
        span.set_data("http.request.resend_count", hops);
    }
    match answer {
        Ok(response) => span.answered(response.status().as_u16()),
        Err(error) => span.failed(error_type(error)),
    }
}

fn parts<'a>(method: &'a str, url: &'a Url) -> OutgoingRequest<'a> {
    OutgoingRequest {
        method,
        scheme: url.scheme(),
        host: url.host_str().unwrap_or_default(),
        port: url.port(),
        path: url.path(),
        query: url.query(),
        has_credentials: !url.username().is_empty() || url.password().is_some(),
    }
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
