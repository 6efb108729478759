//! The transaction of a request, in the request's extensions.

use http::{Extensions, Request};
use sentrace_core::{SpanRef, Transaction, current_span};

/// A handle to the transaction that works even if a task lies between the layer and the code that needs it.
#[derive(Debug, Clone)]
pub(crate) struct TransactionHandle(SpanRef);

impl TransactionHandle {
    /// Adds a handle to a request, which costs an allocation.
    pub(super) fn attach<B>(request: &mut Request<B>, transaction: &Transaction) {
        request.extensions_mut().insert(Self(SpanRef::clone(transaction)));
    }

    /// Returns the transaction whose handle is attached, or else the current one.
    pub(crate) fn find(extensions: &Extensions) -> SpanRef {
        match extensions.get::<Self>() {
            Some(Self(span)) => span.clone(),
            None => current_span().transaction(),
        }
    }
}
