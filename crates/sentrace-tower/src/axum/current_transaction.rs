//! The extractor for the transaction.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::atomic::AtomicBool;

use axum::extract::FromRequestParts;
use http::request::Parts;
use sentrace_core::SpanRef;
use sentrace_protocol::TransactionSource;

use crate::misplaced::warn_if_outside;
use crate::server::TransactionHandle;

/// Extractor for the transaction of the request. Outside of spans, [`current_span`](sentrace_core::current_span) is the same.
///
/// It dereferences to the handle of the transaction's root span. Extraction never fails: without a transaction, all methods
/// are no-ops.
///
/// ```
/// use axum::{Router, extract::Path, routing::get};
/// use sentrace_tower::{CurrentTransaction, SentryTracingLayer};
///
/// async fn cart(transaction: CurrentTransaction, Path(id): Path<u64>) -> String {
///     transaction.set_tag("plan", "gold");
///     transaction.set_data("cart.items", 3);
///     id.to_string()
/// }
///
/// let app: Router = Router::new().route("/carts/{id}", get(cart)).layer(SentryTracingLayer::new());
/// ```
#[derive(Debug, Clone)]
pub struct CurrentTransaction(SpanRef);

impl CurrentTransaction {
    /// Renames the transaction, for handlers that know a better name than the router, for example if one route serves many
    /// operations, as in GraphQL. `source` is usually [`Custom`](TransactionSource::Custom).
    pub fn set_name(&self, name: impl AsRef<str>, source: TransactionSource) {
        self.0.set_transaction_name(name, source);
    }
}

impl Deref for CurrentTransaction {
    type Target = SpanRef;

    fn deref(&self) -> &SpanRef {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for CurrentTransaction {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        static WARNED: AtomicBool = AtomicBool::new(false);
        let span = TransactionHandle::find(&parts.extensions);
        warn_if_outside(&span, "the extractor CurrentTransaction", &WARNED);
        Ok(Self(span))
    }
}
