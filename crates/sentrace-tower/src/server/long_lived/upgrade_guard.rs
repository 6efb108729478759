//! Keeps the transaction of an upgraded request open.

use std::sync::{Arc, Mutex, PoisonError};

use http::{Method, Request, header};
use sentrace_protocol::SpanStatus;

use crate::server::guard::Guard;

/// Keeps the transaction of an upgraded request open until the last clone is dropped. It is in the request's extensions if the
/// layer [holds upgrades](crate::SentryTracingLayer::upgrades).
///
/// The transaction has the status of the response, or `internal_error` if the last clone is dropped by a panic. A request that
/// is not upgraded ends like any other, even if this still exists.
///
/// ```
/// use axum::Extension;
/// use axum::extract::ws::{WebSocket, WebSocketUpgrade};
/// use axum::response::Response;
/// use sentrace_core::current_span;
/// use sentrace_tower::UpgradeGuard;
///
/// async fn chat(upgrade: WebSocketUpgrade, Extension(guard): Extension<UpgradeGuard>) -> Response {
///     let request = current_span();
///     upgrade.on_upgrade(async move |socket: WebSocket| {
///         request.scope(converse(socket)).await; // its spans are spans of the request
///         drop(guard);
///     })
/// }
/// # async fn converse(_: WebSocket) {}
/// ```
#[derive(Debug, Clone)]
pub struct UpgradeGuard {
    _slot: Arc<UpgradeSlot>,
}

impl UpgradeGuard {
    /// Attaches a guard to a request that asks for an upgrade. Returns the slot for its transaction.
    pub(in crate::server) fn attach<B>(request: &mut Request<B>) -> Option<Arc<UpgradeSlot>> {
        if request.method() != Method::CONNECT && !request.headers().contains_key(header::UPGRADE) {
            return None;
        }
        let slot = Arc::<UpgradeSlot>::default();
        request.extensions_mut().insert(Self { _slot: Arc::clone(&slot) });
        Some(slot)
    }
}

/// Holds the transaction once the request is upgraded.
#[derive(Debug, Default)]
pub(in crate::server) struct UpgradeSlot(Mutex<Option<Guard>>);

impl UpgradeSlot {
    pub(in crate::server) fn fill(&self, guard: Guard) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
    }
}

impl Drop for UpgradeSlot {
    fn drop(&mut self) {
        let guard = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut guard) = guard.take() {
            if std::thread::panicking() {
                guard.fail(SpanStatus::InternalError, None);
            } else {
                guard.complete(None);
            }
        }
    }
}
