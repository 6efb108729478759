//! Puts trace headers on an `http` request.

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use sentrace_protocol::{SentryTrace, baggage, sentry_trace, traceparent};

use crate::call_span::CallSpan;
use crate::client::Client;
use crate::outgoing_call::OutgoingCall;

const SENTRY_TRACE: HeaderName = HeaderName::from_static(sentry_trace::HEADER);
const BAGGAGE: HeaderName = HeaderName::from_static(baggage::HEADER);
const TRACEPARENT: HeaderName = HeaderName::from_static(traceparent::HEADER);

/// Puts the current trace on an outgoing request, if its host is among the `tracing_origins`; whether it did.
///
/// For clients without a middleware or layer: there is no span for the call, and what is called finds the current span
/// as its parent. A request without a host in its URI is judged by its `Host` header and taken for `http`. What the
/// application set stays, as with [`OutgoingCall::inject`].
///
/// ```
/// # let (client, _) = sentrace_core::testing::Capture::client(sentrace_core::Options::new()).unwrap();
/// # client.continue_trace(&[("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")]).enter(|| {
/// let mut request = http::Request::get("http://localhost:3001/stock/7").body(()).unwrap();
/// assert!(sentrace_core::inject(&mut request));
/// assert!(request.headers().contains_key("sentry-trace"));
/// # });
/// ```
pub fn inject<B>(request: &mut Request<B>) -> bool {
    let Some(url) = absolute(request) else { return false };
    inject_for(&url, request.headers_mut(), None)
}

/// Puts the current trace on the headers of a request to `url` (absolute), if that is among the `tracing_origins`;
/// whether it did. For clients whose requests are not of the `http` crate; see [`inject`].
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// sentrace_core::inject_for("http://localhost:3001/stock/7", &mut headers, None);
/// ```
pub fn inject_for(url: &str, headers: &mut HeaderMap, client: Option<&Client>) -> bool {
    OutgoingCall::to(url, client).is_some_and(|call| call.inject(&CallSpan::none(), headers))
}

impl OutgoingCall {
    /// Puts what the call carries with `span` around it on its headers; whether anything was put there.
    ///
    /// A `sentry-trace` that the application set stays, and then nothing is added. Other vendors' members of `baggage`
    /// stay before ours, and so does a `traceparent` (Sentry SDK specification, *Trace Propagation* 1.9). A gateway may hand on
    /// the headers that a request came with: those are replaced, for this process is the caller now.
    pub fn inject(&self, span: &CallSpan, headers: &mut HeaderMap) -> bool {
        let handed_on = match headers.get(SENTRY_TRACE) {
            Some(set) if self.came_with(set) => true,
            Some(_) => return false,
            None => false,
        };
        let Some(trace) = self.trace_headers(span) else { return false };
        for (name, value) in trace {
            let (name, value) = match name {
                sentry_trace::HEADER => (SENTRY_TRACE, value),
                baggage::HEADER => (BAGGAGE, with_members_of_others(headers, value)),
                traceparent::HEADER if handed_on || !headers.contains_key(TRACEPARENT) => {
                    (TRACEPARENT, value)
                }
                _ => continue,
            };
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        true
    }

    /// Whether this is the `sentry-trace` of the request that is being served.
    fn came_with(&self, sentry_trace: &HeaderValue) -> bool {
        let Some(serving) = self.parent().trace() else { return false };
        let came = SentryTrace::parse_opt(sentry_trace.as_bytes());
        came.is_some_and(|came| {
            came.trace_id == serving.trace_id && Some(came.span_id) == serving.parent_span_id
        })
    }
}

fn with_members_of_others(headers: &HeaderMap, ours: String) -> String {
    if !headers.contains_key(BAGGAGE) {
        return ours;
    }
    baggage::merge(headers.get_all(BAGGAGE).iter().map(HeaderValue::as_bytes), &ours)
}

fn absolute<B>(request: &Request<B>) -> Option<String> {
    let uri = request.uri();
    let host = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => request.headers().get(http::header::HOST)?.to_str().ok()?,
    };
    Some([uri.scheme_str().unwrap_or("http"), "://", host, uri.path()].concat())
}
