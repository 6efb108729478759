//! Adds trace headers to `http` requests.

use std::sync::atomic::AtomicBool;

use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use sentrace_protocol::SentryTrace;
use sentrace_protocol::url::host_header;

use super::explain;
use crate::call::call_span::CallSpan;
use crate::call::outgoing_call::OutgoingCall;
use crate::call::provenance::{
    BAGGAGE, SENTRY_TRACE, SetBy, TRACEPARENT, merged, remove_context_of_another_trace, remove_sentry_members,
};
use crate::client::Client;
use crate::diagnostics::{self, with_debug_mode};
use crate::handle::span::SpanRef;

/// Adds the current trace to an outgoing request if its host is among the `tracing_origins`.
/// Returns `true` if it did.
///
/// This is for clients without a middleware or layer: the call has no span, so the current span is
/// the callee's parent. If the URI has no host, the `Host` header is used, with `http`. Headers
/// that the application set are kept and forwarded ones are replaced, as by
/// [`OutgoingCall::inject`]. So a request can be kept and sent again: each time it carries the
/// trace that is current then.
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
    let url = absolute(request).unwrap_or_default();
    inject_headers(&url, request.headers_mut(), None)
}

/// Adds the current trace to the headers of a request to `url` (absolute), if that is among the
/// `tracing_origins`. Returns `true` if it did.
///
/// This is for clients that do not use the `http` crate's requests; see [`inject`].
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// sentrace_core::inject_headers("http://localhost:3001/stock/7", &mut headers, None);
/// ```
pub fn inject_headers(url: &str, headers: &mut HeaderMap, client: Option<&Client>) -> bool {
    match OutgoingCall::to(url, client) {
        Some(call) => call.inject(&CallSpan::none(), headers),
        None => {
            OutgoingCall::remove_propagated_headers(headers, client);
            false
        }
    }
}

impl OutgoingCall {
    /// Adds the headers of the call, with `span` around it. Returns `true` if anything was added.
    ///
    /// A header that is already there was set by one of three (ADR 28):
    /// - The application. Its own `sentry-trace` is kept, and then nothing is added. Other vendors'
    ///   members of `baggage` are kept before Sentry's, and so is a `traceparent` (Sentry SDK
    ///   specification, *Trace Propagation* 1.9).
    /// - The caller: a gateway forwards the headers of the request that it serves. They are
    ///   replaced, because this process is the caller now, or removed if the call may carry
    ///   nothing. It does not matter whether those headers were trusted, readable or recorded.
    /// - This process, for an earlier call, if a request is sent again. They are replaced or
    ///   removed, too.
    pub fn inject(&self, span: &CallSpan, headers: &mut HeaderMap) -> bool {
        if !self.allows_headers() {
            self.provenance().remove_propagated(headers);
            if headers.contains_key(SENTRY_TRACE) {
                with_debug_mode(self.pipeline().debug, explain::keeps_own_headers);
            }
            return false;
        }
        self.with_carried(span, |carried| self.put(carried, headers))
    }

    /// Adds the headers of a call from `span`, each value written in place. Returns `true` if any
    /// was added.
    fn put(&self, span: &SpanRef, headers: &mut HeaderMap) -> bool {
        let Some((trace, sentry_trace)) = span.trace().zip(span.sentry_trace()) else { return false };
        let Ok(value) = HeaderValue::from_str(&sentry_trace.to_text()) else { return false };
        let is_bare = has_none_of_ours(headers);
        // A full map is left unchanged.
        let Ok(entry) = headers.try_entry(SENTRY_TRACE) else { return false };
        let handed_on = match entry {
            Entry::Vacant(entry) => {
                if entry.try_insert(value).is_err() {
                    return false;
                }
                false
            }
            Entry::Occupied(mut set) => match self.provenance().of(set.iter()) {
                SetBy::Application => return self.keep(headers),
                set_by => {
                    if set_by != SetBy::Caller {
                        self.warn_if_second(set.get(), sentry_trace);
                    }
                    set.insert(value);
                    set_by == SetBy::Caller
                }
            },
        };
        self.count_propagated();
        trace.remember_propagated(sentry_trace.span_id);
        match trace.frozen_baggage_header() {
            Some(ours) => put_baggage(ours, headers),
            None => remove_sentry_members(headers),
        }
        match trace.traceparent(sentry_trace.span_id) {
            Some(ours) => {
                if (handed_on || self.may_replace_traceparent(headers))
                    && let Ok(value) = HeaderValue::try_from(ours.to_string())
                {
                    let _ = headers.try_insert(TRACEPARENT, value);
                }
            }
            None if is_bare => {}
            None => self.remove_stale_traceparent(headers),
        }
        true
    }

    /// Warns once if a call passes a second layer or middleware around the same client. The headers
    /// then name another span of this process in the same trace, which did not start further out
    /// and is not of a request that is sent again by hand.
    #[cold]
    fn warn_if_second(&self, set: &HeaderValue, ours: SentryTrace) {
        static WARNED: AtomicBool = AtomicBool::new(false);
        let further_out = self.parent().span_id();
        let is_second = Some(ours.span_id) != further_out
            && crate::propagation::received::ids(set.as_bytes()).is_some_and(|(trace_id, span_id)| {
                let is_another = Some(span_id) != further_out && span_id != ours.span_id;
                trace_id == ours.trace_id && is_another && crate::propagation::ids::is_own(span_id)
            });
        if is_second {
            diagnostics::warn_once(
                &WARNED,
                format_args!(
                    "a call carried the trace headers of another span of this trace before it got any here, so two layers \
                     or middlewares of sentrace wrap the same HTTP client, and each call has two spans; keep one of them"
                ),
            );
        }
    }

    /// Keeps the `sentry-trace` that the application set, and removes forwarded headers beside it.
    #[cold]
    fn keep(&self, headers: &mut HeaderMap) -> bool {
        with_debug_mode(self.pipeline().debug, explain::keeps_own_headers);
        self.provenance().remove(&SENTRY_TRACE, headers);
        self.provenance().remove(&TRACEPARENT, headers);
        remove_context_of_another_trace(headers);
        false
    }

    fn may_replace_traceparent(&self, headers: &HeaderMap) -> bool {
        !headers.contains_key(TRACEPARENT)
            || self.provenance().of(headers.get_all(TRACEPARENT).iter()) != SetBy::Application
    }

    /// If `traceparent` is not propagated, that of other tools passes through, as the W3C requires
    /// (Trace Context level 1, 3.2). Removed are those that name the caller of this trace, that
    /// this process set, or that came with a request whose trace was rejected.
    fn remove_stale_traceparent(&self, headers: &mut HeaderMap) {
        if !headers.contains_key(TRACEPARENT) {
            return;
        }
        let serving = self.parent().trace();
        let is_stale = serving.is_some_and(|serving| serving.received.is_rejected())
            || headers.get_all(TRACEPARENT).iter().any(|field| {
                let ids = crate::propagation::received::ids(field.as_bytes());
                ids.is_some_and(|(trace_id, span_id)| {
                    crate::propagation::ids::is_own(span_id)
                        || serving.is_some_and(|serving| {
                            trace_id == serving.trace_id && Some(span_id) == serving.parent_span_id
                        })
                })
            });
        if is_stale {
            self.provenance().remove(&TRACEPARENT, headers);
        }
    }
}

/// Returns `true` only if no header needs a closer look. This hashes no name.
fn has_none_of_ours(headers: &HeaderMap) -> bool {
    const FEW: usize = 16;
    let is_ours = |name: &HeaderName| *name == TRACEPARENT || *name == SENTRY_TRACE || *name == BAGGAGE;
    headers.len() <= FEW && !headers.keys().any(is_ours)
}

fn put_baggage(ours: HeaderValue, headers: &mut HeaderMap) {
    let Ok(entry) = headers.try_entry(BAGGAGE) else { return };
    match entry {
        Entry::Vacant(entry) => {
            let _ = entry.try_insert(ours);
        }
        Entry::Occupied(mut theirs) => {
            if let Some(merged) = merged(theirs.iter(), ours.to_str().unwrap_or_default()) {
                theirs.insert(merged);
            }
        }
    }
}

fn absolute<B>(request: &Request<B>) -> Option<String> {
    let uri = request.uri();
    let host = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => host_header(request.headers())?,
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
        let rows: [(_, &[_], _, _); 11] = [
            ("http://ours.test/x", &[], true, "an allowed host"),
            ("http://theirs.test/x", &[], false, "another one"),
            ("/x", &[("host", "ours.test:8080")], true, "an allowed host in the field"),
            ("/x", &[("host", "theirs.test")], false, "another one in the field"),
            ("http://theirs.test/x", &[("host", "ours.test")], false, "the URI says where it goes"),
            ("/x", &[], false, "an unknown host"),
            ("/x", &[("host", "ours.test"), ("host", "theirs.test")], false, "two hosts in the field"),
            ("/x", &[("host", "theirs.test/@ours.test")], false, "more than a host in the field"),
            ("/x", &[("host", "me@ours.test")], false, "a user in the field"),
            ("http://theirs.test:[::1].ours.test/x", &[], false, "the http crate finds theirs.test"),
            ("HTTP://OURS.test./x", &[], true, "another spelling"),
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
    fn a_callers_context_does_not_go_on_beside_a_trace_of_the_applications_own() {
        let own = "11111111111111111111111111111111-2222222222222222-0";
        let rows = [
            ("0af7651916cd43dd8448eb211c80319c", false, "the caller's"),
            ("33333333333333333333333333333333", false, "any other one's"),
            ("11111111-1111-1111-1111-111111111111", true, "its own, written with dashes"),
        ];
        for (told, stays, reason) in rows {
            for host in ["ours.test", "theirs.test"] {
                let trace = client().continue_trace(&[("sentry-trace", CALLER)]);
                let transaction = trace.start_transaction("work", "task");
                let mut request = request(&format!("http://{host}/"), &[("sentry-trace", own)]);
                let context = format!("tenant=7,sentry-trace_id={told}");
                request.headers_mut().insert(BAGGAGE, HeaderValue::from_str(&context).unwrap());
                assert!(!transaction.enter(|| inject(&mut request)), "{reason}");
                let expected = if stays { &*context } else { "tenant=7" };
                assert_eq!(request.headers()["baggage"], expected, "{reason} to {host}");
                assert_eq!(request.headers()["sentry-trace"], own, "{reason} to {host}");
            }
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
            // Frees the memory of its context for the next trace.
            transaction.finish();
        }
    }
}
