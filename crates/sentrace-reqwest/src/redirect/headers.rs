//! The headers that the guard removes.

use http::header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION, WWW_AUTHENTICATE};

/// The headers that reqwest removes when a redirect leads to another host, port or scheme.
pub(super) const CREDENTIALS: [HeaderName; 5] =
    [AUTHORIZATION, COOKIE, HeaderName::from_static("cookie2"), PROXY_AUTHORIZATION, WWW_AUTHENTICATE];

/// The headers that tracing writes, too.
pub(super) const TRACE_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("sentry-trace"),
    HeaderName::from_static("baggage"),
    HeaderName::from_static("traceparent"),
];
