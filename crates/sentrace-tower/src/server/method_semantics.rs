//! What the method of a request means for its response.

use http::{Method, Request, StatusCode};
use http_body::Body;
use hyper::ext::Protocol;

/// Stored instead of the method, which is larger and would have to be cloned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MethodSemantics {
    /// The response has no body.
    Head,
    /// A successful response opens a tunnel.
    Connect,
    /// A successful response opens a stream for another protocol (RFC 8441, RFC 9220).
    ExtendedConnect(UpgradeProtocol),
    Other,
}

/// The protocol of an upgrade. Only known ones have a name, so that clients cannot choose names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UpgradeProtocol {
    WebSocket,
    WebTransport,
    ConnectUdp,
    ConnectIp,
    Unknown,
}

impl UpgradeProtocol {
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

    /// Returns the name in the registry of upgrade tokens, if it is known.
    pub(super) fn name(self) -> Option<&'static str> {
        Self::KNOWN.into_iter().find(|(known, _)| *known == self).map(|(_, name)| name)
    }
}

impl MethodSemantics {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        match *request.method() {
            Method::HEAD => Self::Head,
            Method::CONNECT => match request.extensions().get::<Protocol>() {
                Some(protocol) => Self::ExtendedConnect(UpgradeProtocol::of(protocol)),
                None => Self::Connect,
            },
            _ => Self::Other,
        }
    }

    /// Returns `true` if a success hands the connection or stream over to another protocol.
    pub(super) fn connects(self) -> bool {
        matches!(self, Self::Connect | Self::ExtendedConnect(_))
    }

    /// Returns `true` if nothing of `body` will be sent.
    pub(super) fn sends_no_body(self, status: StatusCode, body: &impl Body) -> bool {
        self == Self::Head
            || (self.connects() && status.is_success())
            || status.is_informational()
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED
            || body.is_end_stream()
    }
}
