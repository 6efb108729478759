//! What a request's method says of its answer.

use http::{Method, StatusCode};
use http_body::Body;

/// Kept instead of the method, which is larger and has to be cloned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestKind {
    /// The answer has no body.
    Head,
    /// The answer opens a tunnel.
    Connect,
    Other,
}

impl RequestKind {
    pub(super) fn of(method: &Method) -> Self {
        match *method {
            Method::HEAD => Self::Head,
            Method::CONNECT => Self::Connect,
            _ => Self::Other,
        }
    }

    /// Whether nothing of `body` is going to be sent.
    pub(super) fn sends_no_body(self, status: StatusCode, body: &impl Body) -> bool {
        self == Self::Head
            || (self == Self::Connect && status.is_success())
            || status.is_informational()
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED
            || body.is_end_stream()
    }
}
