//! What a request's method says of its answer.

use http::{Method, Request, StatusCode};
use http_body::Body;
use hyper::ext::Protocol;

/// Kept instead of the method, which is larger and has to be cloned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestKind {
    /// The answer has no body.
    Head,
    /// The answer opens a tunnel.
    Connect,
    /// The answer opens a stream for another protocol (RFC 8441, RFC 9220).
    ExtendedConnect(Connected),
    Other,
}

/// What an extended CONNECT asks for. Only known protocols, so that clients choose no names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connected {
    WebSocket,
    WebTransport,
    ConnectUdp,
    ConnectIp,
    Unknown,
}

impl Connected {
    const KNOWN: [(Self, &'static str); 4] = [
        (Self::WebSocket, "websocket"),
        (Self::WebTransport, "webtransport"),
        (Self::ConnectUdp, "connect-udp"),
        (Self::ConnectIp, "connect-ip"),
    ];

    fn of(protocol: &Protocol) -> Self {
        let is_named = |(_, name): &(Self, &str)| protocol.as_str().eq_ignore_ascii_case(name);
        Self::KNOWN.into_iter().find(is_named).map_or(Self::Unknown, |(known, _)| known)
    }

    /// Its name in the registry of upgrade tokens, if it is known.
    pub(super) fn name(self) -> Option<&'static str> {
        Self::KNOWN.into_iter().find(|(known, _)| *known == self).map(|(_, name)| name)
    }
}

impl RequestKind {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        match *request.method() {
            Method::HEAD => Self::Head,
            Method::CONNECT => match request.extensions().get::<Protocol>() {
                Some(protocol) => Self::ExtendedConnect(Connected::of(protocol)),
                None => Self::Connect,
            },
            _ => Self::Other,
        }
    }

    /// Whether a success turns the connection or stream over to something else.
    pub(super) fn connects(self) -> bool {
        matches!(self, Self::Connect | Self::ExtendedConnect(_))
    }

    /// Whether nothing of `body` is going to be sent.
    pub(super) fn sends_no_body(self, status: StatusCode, body: &impl Body) -> bool {
        self == Self::Head
            || (self.connects() && status.is_success())
            || status.is_informational()
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED
            || body.is_end_stream()
    }
}
