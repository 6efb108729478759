//! Requests that stay open after their answer's head: upgrades, tunnels, event streams.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body::Body;
use sentrace_core::SpanRef;
use sentrace_protocol::SpanStatus;

use super::guard::Guard;
use super::request_kind::{Connected, RequestKind};

/// When the transaction of a request ends that stays open: with its answer's head, or with what follows it.
///
/// Such a transaction says so in its data: `http.request.long_lived` is `upgrade`, `connect` or `event_stream`. So the
/// hours of a held conversation can be left out of latencies, and the milliseconds of an ended one, too. After an
/// upgrade to a WebSocket, or an extended CONNECT for one (HTTP/2 and 3), its op is `websocket.server` (Sentry's conventions).
///
/// Work that goes on after the end belongs to the request's trace where the request's span is current, and is recorded
/// as transactions of its own:
///
/// ```
/// use axum::extract::ws::{WebSocket, WebSocketUpgrade};
/// use axum::response::Response;
/// use sentrace_core::{current_span, start_transaction};
///
/// async fn chat(upgrade: WebSocketUpgrade) -> Response {
///     let request = current_span();
///     upgrade.on_upgrade(async move |mut socket: WebSocket| {
///         let conversation = async {
///             while let Some(Ok(message)) = socket.recv().await {
///                 // Below the request, in its trace, with its sampling decision.
///                 let transaction = start_transaction("chat message", "websocket.server");
///                 transaction.scope(socket.send(message)).await.unwrap_or_default();
///             }
///         };
///         request.scope(conversation).await;
///     })
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongLived {
    /// With the answer's head.
    EndAtHead,
    /// With what follows: an event stream's last byte, or the last clone of an upgraded request's [`RequestHold`].
    Hold,
}

/// Keeps the transaction of an upgraded request open for as long as any clone of it lives. A request has it among its
/// extensions where the layer was told to [hold upgrades](super::SentryTracingLayer::upgrades).
///
/// The transaction ends as the answer's status said, or as `internal_error` where a panic drops the last clone. A request
/// that is not upgraded ends as every other, whoever holds this.
///
/// ```
/// use axum::Extension;
/// use axum::extract::ws::{WebSocket, WebSocketUpgrade};
/// use axum::response::Response;
/// use sentrace_core::current_span;
/// use sentrace_tower::RequestHold;
///
/// async fn chat(upgrade: WebSocketUpgrade, Extension(hold): Extension<RequestHold>) -> Response {
///     let request = current_span();
///     upgrade.on_upgrade(async move |socket: WebSocket| {
///         request.scope(converse(socket)).await; // its spans are spans of the request
///         drop(hold);
///     })
/// }
/// # async fn converse(_: WebSocket) {}
/// ```
#[derive(Debug, Clone)]
pub struct RequestHold {
    _held: Arc<Held>,
}

impl RequestHold {
    /// Puts a hold on a request that asks to be upgraded; the other end of it is for the guard.
    pub(super) fn offer<B>(request: &mut Request<B>) -> Option<Arc<Held>> {
        if request.method() != Method::CONNECT && !request.headers().contains_key(header::UPGRADE) {
            return None;
        }
        let held = Arc::<Held>::default();
        request.extensions_mut().insert(Self { _held: Arc::clone(&held) });
        Some(held)
    }
}

/// What a hold holds, once the request is upgraded.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<Option<Guard>>);

impl Held {
    pub(super) fn hold(&self, guard: Guard) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let held = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut guard) = held.take() {
            if std::thread::panicking() {
                guard.fail(SpanStatus::InternalError, None);
            } else {
                guard.complete(None);
            }
        }
    }
}

/// Why a request stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Upgrade,
    Connect,
    ExtendedConnect(Connected),
    EventStream,
}

impl Kind {
    pub(super) fn of<B: Body>(response: &Response<B>, request: RequestKind) -> Option<Self> {
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS => Some(Self::Upgrade),
            status if request.connects() && status.is_success() => Some(match request {
                RequestKind::ExtendedConnect(protocol) => Self::ExtendedConnect(protocol),
                _ => Self::Connect,
            }),
            // What is of a known length does not stay open.
            _ if request == RequestKind::Head || response.body().size_hint().exact().is_some() => None,
            _ => is_event_stream(response.headers()).then_some(Self::EventStream),
        }
    }

    /// Says in the span that the request stays open, and as what.
    pub(super) fn mark(self, span: &SpanRef, headers: &HeaderMap) {
        let name = match self {
            Self::Upgrade => "upgrade",
            Self::Connect | Self::ExtendedConnect(_) => "connect",
            Self::EventStream => "event_stream",
        };
        span.set_data("http.request.long_lived", name);
        let protocol = match self {
            Self::Upgrade => {
                let becomes = headers.get(header::UPGRADE).map(http::HeaderValue::as_bytes);
                becomes.filter(|to| to.eq_ignore_ascii_case(b"websocket")).map(|_| Connected::WebSocket)
            }
            Self::ExtendedConnect(protocol) => Some(protocol),
            Self::Connect | Self::EventStream => None,
        };
        if protocol == Some(Connected::WebSocket) {
            span.set_op("websocket.server");
        }
        if let Some(name) = protocol.and_then(Connected::name) {
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
