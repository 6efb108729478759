//! Puts trace headers on an `http` request.

use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use sentrace_protocol::{SentryTrace, baggage, sentry_trace, traceparent};

use crate::call_span::CallSpan;
use crate::client::Client;
use crate::outgoing_call::OutgoingCall;
use crate::span::SpanRef;

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
    inject_headers(&url, request.headers_mut(), None)
}

/// Puts the current trace on the headers of a request to `url` (absolute), if that is among the `tracing_origins`;
/// whether it did. For clients whose requests are not of the `http` crate; see [`inject`].
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// sentrace_core::inject_headers("http://localhost:3001/stock/7", &mut headers, None);
/// ```
pub fn inject_headers(url: &str, headers: &mut HeaderMap, client: Option<&Client>) -> bool {
    OutgoingCall::to(url, client).is_some_and(|call| call.inject(&CallSpan::none(), headers))
}

impl OutgoingCall {
    /// Puts what the call carries with `span` around it on its headers; whether anything was put there.
    ///
    /// A `sentry-trace` that the application set stays, and then nothing is added. Other vendors' members of `baggage`
    /// stay before ours, and so does a `traceparent` (Sentry SDK specification, *Trace Propagation* 1.9). A gateway may hand on
    /// the headers that a request came with: those are replaced, for this process is the caller now.
    pub fn inject(&self, span: &CallSpan, headers: &mut HeaderMap) -> bool {
        if !self.allows_headers() {
            self.keeps(headers.get(SENTRY_TRACE));
            return false;
        }
        self.with_carried(span, |carried| self.put(carried, headers))
    }

    /// Puts what a call from `span` carries on its headers, each value made where it is to stay; whether anything was.
    fn put(&self, span: &SpanRef, headers: &mut HeaderMap) -> bool {
        let Some((trace, sentry_trace)) = span.trace().zip(span.sentry_trace()) else { return false };
        // A map that is full stays as it is.
        let Ok(entry) = headers.try_entry(SENTRY_TRACE) else { return false };
        let handed_on = match &entry {
            Entry::Occupied(set) => Some(set.get()),
            Entry::Vacant(_) => None,
        };
        if self.keeps(handed_on) {
            return false;
        }
        let handed_on = handed_on.is_some();
        let Ok(value) = HeaderValue::from_str(&sentry_trace.to_text()) else { return false };
        if !set(entry, value) {
            return false;
        }
        self.count_propagated();
        if let Some(ours) = trace.frozen_baggage_header() {
            put_baggage(ours, headers);
        }
        if let Some(traceparent) = trace.traceparent(sentry_trace.span_id)
            && (handed_on || !headers.contains_key(TRACEPARENT))
            && let Ok(value) = HeaderValue::try_from(traceparent.to_string())
        {
            let _ = headers.try_insert(TRACEPARENT, value);
        }
        true
    }

    /// Whether the application set a `sentry-trace` of its own, which stays.
    fn keeps(&self, set: Option<&HeaderValue>) -> bool {
        let keeps = set.is_some_and(|set| !self.came_with(set));
        if keeps {
            crate::explain::keeps_own_headers();
        }
        keeps
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

fn put_baggage(ours: HeaderValue, headers: &mut HeaderMap) {
    let Ok(entry) = headers.try_entry(BAGGAGE) else { return };
    let Entry::Occupied(theirs) = &entry else {
        set(entry, ours);
        return;
    };
    let merged = baggage::merge(theirs.iter().map(HeaderValue::as_bytes), ours.to_str().unwrap_or_default());
    if let Ok(merged) = HeaderValue::try_from(merged) {
        set(entry, merged);
    }
}

/// Whether there was room for it.
fn set(entry: Entry<'_, HeaderValue>, value: HeaderValue) -> bool {
    match entry {
        Entry::Vacant(entry) => entry.try_insert(value).is_ok(),
        Entry::Occupied(mut entry) => {
            entry.insert(value);
            true
        }
    }
}

fn absolute<B>(request: &Request<B>) -> Option<String> {
    let uri = request.uri();
    let host = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => request.headers().get(http::header::HOST)?.to_str().ok()?,
    };
    Some([uri.scheme_str().unwrap_or("http"), "://", host, uri.path()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Capture;
    use crate::{Options, Origin};

    const CALLER: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";

    fn client() -> Client {
        let options = Options::new().traces_sample_rate(1.0).propagate_traceparent(true);
        Capture::client(options.tracing_origins([Origin::host("ours.test")])).unwrap().0
    }

    fn request(uri: &str, headers: &[(&'static str, &'static str)]) -> Request<()> {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn a_request_is_judged_by_the_host_that_it_goes_to() {
        let rows: [(_, &[_], _, _); 6] = [
            ("http://ours.test/x", &[], true, "an allowed host"),
            ("http://theirs.test/x", &[], false, "another one"),
            ("/x", &[("host", "ours.test:8080")], true, "an allowed host in the field"),
            ("/x", &[("host", "theirs.test")], false, "another one in the field"),
            ("http://theirs.test/x", &[("host", "ours.test")], false, "the URI says where it goes"),
            ("/x", &[], false, "an unknown host"),
        ];
        for (uri, headers, expected, reason) in rows {
            let mut request = request(uri, headers);
            client().start_transaction("work", "task").enter(|| {
                assert_eq!(inject(&mut request), expected, "{reason}");
            });
            assert_eq!(request.headers().contains_key("sentry-trace"), expected, "{reason}");
        }
    }

    #[test]
    fn what_the_application_set_stays_and_what_it_hands_on_is_replaced() {
        let own = "11111111111111111111111111111111-2222222222222222-0";
        let rows = [
            (CALLER, true, "what the request came with"),
            (own, false, "a trace of the application's own"),
            ("nonsense", false, "whatever else it set"),
        ];
        for (set, replaced, reason) in rows {
            let trace = client().continue_trace(&[("sentry-trace", CALLER)]);
            let transaction = trace.start_transaction("work", "task");
            let theirs = "00-33333333333333333333333333333333-4444444444444444-01";
            let mut request = request("http://ours.test/", &[("traceparent", theirs)]);
            request.headers_mut().insert(SENTRY_TRACE, HeaderValue::from_static(set));
            assert_eq!(transaction.enter(|| inject(&mut request)), replaced, "{reason}");
            let sent = request.headers()["sentry-trace"].to_str().unwrap();
            let ours = transaction.sentry_trace().unwrap().to_string();
            assert_eq!(sent, if replaced { &ours } else { set }, "{reason}");
            let traceparent = request.headers()["traceparent"].to_str().unwrap();
            assert_eq!(traceparent != theirs, replaced, "{reason}");
        }
    }

    #[test]
    fn a_traceparent_that_the_application_set_stays() {
        let theirs = "00-33333333333333333333333333333333-4444444444444444-01";
        let mut request = request("http://ours.test/", &[("traceparent", theirs)]);
        assert!(client().start_transaction("work", "task").enter(|| inject(&mut request)));
        assert_eq!(request.headers()["traceparent"], theirs);
    }

    #[test]
    fn each_call_of_a_trace_carries_its_context_and_no_other_one() {
        let client = client();
        for n in 0..5 {
            let sentry_trace = format!("0af7651916cd43dd8448eb211c80319{n}-b7ad6b7169203331-1");
            let baggage = format!("other=1,sentry-release=shop%40{n},sentry-sample_rand=0.1");
            let incoming = [("sentry-trace", sentry_trace.as_str()), ("baggage", baggage.as_str())];
            let transaction = client.continue_trace(&incoming).start_transaction("work", "task");
            for call in 0..3 {
                let mut request = request("http://ours.test/", &[]);
                assert!(transaction.enter(|| inject(&mut request)));
                let sent = request.headers()["baggage"].to_str().unwrap();
                let expected = format!("sentry-release=shop%40{n},sentry-sample_rand=0.1");
                assert_eq!(sent, expected, "call {call} of trace {n}");
                let sent = request.headers()["sentry-trace"].to_str().unwrap();
                assert_eq!(sent, transaction.sentry_trace().unwrap().to_string());
            }
            // The memory of its context is for the next trace.
            transaction.finish();
        }
    }
}
