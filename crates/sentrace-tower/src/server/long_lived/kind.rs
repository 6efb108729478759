//! Why a request stays open.

use http::{HeaderMap, Response, StatusCode, header};
use http_body::Body;
use sentrace_core::SpanRef;

use crate::server::method_semantics::{MethodSemantics, UpgradeProtocol};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Kind {
    Upgrade,
    Connect,
    ExtendedConnect(UpgradeProtocol),
    EventStream,
}

impl Kind {
    pub(in crate::server) fn of<B: Body>(response: &Response<B>, method: MethodSemantics) -> Option<Self> {
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS => Some(Self::Upgrade),
            status if method.connects() && status.is_success() => Some(match method {
                MethodSemantics::ExtendedConnect(protocol) => Self::ExtendedConnect(protocol),
                _ => Self::Connect,
            }),
            // A body of known length does not stay open.
            _ if method == MethodSemantics::Head || response.body().size_hint().exact().is_some() => None,
            _ => is_event_stream(response.headers()).then_some(Self::EventStream),
        }
    }

    /// Records in the span that the request stays open, and why.
    pub(in crate::server) fn record(self, span: &SpanRef, headers: &HeaderMap) {
        let name = match self {
            Self::Upgrade => "upgrade",
            Self::Connect | Self::ExtendedConnect(_) => "connect",
            Self::EventStream => "event_stream",
        };
        span.set_data("http.request.long_lived", name);
        let protocol = match self {
            Self::Upgrade => {
                let upgrade = headers.get(header::UPGRADE).map(http::HeaderValue::as_bytes);
                upgrade.filter(|to| to.eq_ignore_ascii_case(b"websocket")).map(|_| UpgradeProtocol::WebSocket)
            }
            Self::ExtendedConnect(protocol) => Some(protocol),
            Self::Connect | Self::EventStream => None,
        };
        if protocol == Some(UpgradeProtocol::WebSocket) {
            span.set_op("websocket.server");
        }
        if let Some(name) = protocol.and_then(UpgradeProtocol::name) {
            span.set_data("network.protocol.name", name);
        }
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    const NAME: &[u8] = b"text/event-stream";
    headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        let value = value.as_bytes();
        value.len() >= NAME.len()
            && value[..NAME.len()].eq_ignore_ascii_case(NAME)
            && matches!(value.get(NAME.len()), None | Some(b';' | b' '))
    })
}
