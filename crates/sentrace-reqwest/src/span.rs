//! The span of a request.

use reqwest::{Body, Request, Response, Url};
use reqwest_middleware::{Error, Result};
use sentrace_core::adapter::{CallSpan, OutgoingRequest};
use sentrace_core::{InCurrentSpan as _, SpanRef};

/// Starts the `http.client` span of a call.
pub(crate) fn start(parent: &SpanRef, name: Option<&str>, request: &Request) -> CallSpan {
    CallSpan::http(parent, "auto.http.reqwest", name, &parts(request.method().as_str(), request.url()))
}

/// Attaches the span to a body that is a stream, which is polled on the connection's task, so that spans that start in it are
/// recorded or counted.
pub(crate) fn attach_to_body(span: &SpanRef, request: &mut Request) {
    let is_stream = request.body().is_some_and(|body| body.as_bytes().is_none());
    if is_stream
        && !span.is_none()
        && let Some(body) = request.body_mut().take()
    {
        let body = span.enter(|| body.in_current_span());
        *request.body_mut() = Some(Body::wrap(body));
    }
}

/// Ends the span with the result of the call, after `hops` followed redirects.
pub(crate) fn end(span: CallSpan, result: &Result<Response>, hops: u32) {
    if hops > 0 {
        span.set_data("http.request.resend_count", hops);
    }
    match result {
        Ok(response) => span.finish_with_status_code(response.status().as_u16()),
        Err(error) => span.finish_with_error(error_type(error)),
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
