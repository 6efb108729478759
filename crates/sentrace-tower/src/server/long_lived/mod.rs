//! Requests that stay open after the head of their response: upgrades, tunnels, event streams.

mod kind;
mod upgrade_guard;

pub(super) use self::kind::Kind;
pub use self::upgrade_guard::UpgradeGuard;
pub(super) use self::upgrade_guard::UpgradeSlot;

/// When the transaction of a request ends that stays open after the head of its response.
///
/// The data of such a transaction has `http.request.long_lived`, with the value `upgrade`, `connect` or `event_stream`, so that
/// the hours of a held conversation, or the milliseconds of an ended one, can be left out of latencies. After an upgrade to a
/// WebSocket, or an extended CONNECT for one (HTTP/2 and 3), its op is `websocket.server` (Sentry's conventions).
///
/// Work that continues after the end belongs to the request's trace if the request's span is current, and is recorded as
/// transactions of its own:
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
#[non_exhaustive]
pub enum LongLived {
    /// It ends with the head of the response.
    EndAtHead,
    /// It ends with the last byte of an event stream, or with the last clone of an upgraded request's [`UpgradeGuard`].
    Hold,
}
