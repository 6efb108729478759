//! Warns if browsers may not send the trace headers that they ask for, as preflights and their responses show.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderName, ORIGIN};
use http::{Request, Response};
use sentrace_core::diagnostics;

use crate::cors::{asks_for, is_preflight, not_allowed, sentry_headers_with_traceparent};

/// Longest origin that is stored, in bytes.
const MAX_ORIGIN: usize = 256;

/// A preflight that asks for trace headers.
#[derive(Debug)]
pub(super) struct Preflight {
    origin: Box<str>,
    asked: Vec<HeaderName>,
    watch: Arc<PreflightWatch>,
}

/// Whether a layer has warned; shared by all of its services.
#[derive(Debug, Default)]
pub(super) struct PreflightWatch {
    warned: AtomicBool,
}

impl Preflight {
    /// Returns `None` if no Sentry SDK in a browser sent the preflight, or if the layer has already warned.
    #[cold]
    pub(super) fn of<B>(request: &Request<B>, watch: &Arc<PreflightWatch>) -> Option<Self> {
        if watch.warned.load(Ordering::Relaxed) || !is_preflight(request) {
            return None;
        }
        let origin = request.headers().get(ORIGIN)?.to_str().ok()?;
        let mut asked = sentry_headers_with_traceparent().to_vec();
        asked.retain(|name| asks_for(request.headers(), name.as_str()));
        // Other vendors propagate `baggage` and `traceparent`, too; only Sentry's SDKs ask for `sentry-trace`.
        let by_sentry = asked.iter().any(|name| name == "sentry-trace");
        (by_sentry && origin.len() <= MAX_ORIGIN).then(|| Self {
            origin: origin.into(),
            asked,
            watch: Arc::clone(watch),
        })
    }

    /// Warns once if the response allows the origin, but not its trace headers.
    pub(super) fn check<B>(self, response: &Response<B>) {
        let granted = response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).map(http::HeaderValue::as_bytes);
        let allows = |origin| origin == b"*" || origin == self.origin.as_bytes();
        if !response.status().is_success() || !granted.is_some_and(allows) {
            return;
        }
        let refused = not_allowed(response.headers(), &self.asked);
        if !refused.is_empty() && !self.watch.warned.swap(true, Ordering::Relaxed) {
            diagnostics::warn(format_args!("{}", message(&self.origin, &refused)));
        }
    }
}

fn message(origin: &str, refused: &[&HeaderName]) -> String {
    let names: Vec<&str> = refused.iter().map(|name| name.as_str()).collect();
    let mut message = format!(
        "SentryTracingLayer: CORS allows {origin:?}, but not the request headers {} that its Sentry SDK asks for, so \
         browsers fail these calls. ",
        names.join(", ")
    );
    // Writing to a String cannot fail.
    let _ = if refused.iter().all(|name| *name == "traceparent") {
        write!(
            message,
            "Allow it with SentryCorsLayer::new().traceparent(true), or list sentry_headers_with_traceparent() in the \
             CORS layer; or set propagateTraceparent to false in the browser's SDK."
        )
    } else {
        write!(
            message,
            "Put SentryCorsLayer outside the CORS layer: after it with axum's Router::layer, before it in a \
             ServiceBuilder. Or list sentry_headers() in allow_headers of the CORS layer."
        )
    };
    message
}
