//! Debug messages about the headers of outgoing calls.

use sentrace_protocol::url::UrlRef;

use crate::diagnostics::{explain, is_debug_enabled};
use crate::propagation::outgoing::PropagationTargets;

/// Explains why a call to `url` carries no trace headers, once per host.
#[cold]
pub(crate) fn withheld(outgoing: &PropagationTargets, url: &str) {
    if !is_debug_enabled() {
        return;
    }
    let url_parts = UrlRef::parse(url);
    match url_parts.host() {
        Some(host) if outgoing.is_dsn_host(url) => explain(
            "own host",
            host,
            format_args!(
                "calls to {host:?} are left alone: that is the DSN's host, so they would report on reporting"
            ),
        ),
        Some(host) => explain(
            "tracing_origins",
            host,
            format_args!(
                "calls to {host:?} carry no trace headers: tracing_origins are {:?}; add Origin::host({host:?}) if the \
                 host is yours",
                outgoing.origins()
            ),
        ),
        None if url_parts.is_ambiguous() => explain(
            "ambiguous host",
            "",
            format_args!(
                "a call carries no trace headers: HTTP clients read the host of its URL in different ways; write it as \
                 a plain name or address, without escapes, backslashes and brackets in a name"
            ),
        ),
        None => explain(
            "unknown host",
            "",
            format_args!("a call carries no trace headers: its host is unknown, for its URL names none"),
        ),
    }
}

/// Explains that a hook of the middleware or layer suppresses the headers.
#[cold]
pub(crate) fn withheld_by_hook() {
    if is_debug_enabled() {
        let said = "the middleware's or layer's hook asked for that";
        explain("hook", "", format_args!("a call carries no trace headers: {said}"));
    }
}

/// Explains that a call keeps the `sentry-trace` that it has.
#[cold]
#[cfg(feature = "http")]
pub(crate) fn keeps_own_headers() {
    if is_debug_enabled() {
        explain(
            "own headers",
            "",
            format_args!(
                "a call carries a sentry-trace that the application set, which stays as it is: the called service \
                 continues that trace, not the current one; remove the header to propagate"
            ),
        );
    }
}
