//! The way from a request to its transaction.

use http::{Extensions, Request};
use sentrace_core::{SpanRef, Transaction, current_span};

/// The transaction of a request, in the request's extensions: found also where a task lies between it and the layer.
#[derive(Debug, Clone)]
pub(crate) struct RequestSpan(SpanRef);

impl RequestSpan {
    /// Puts a handle on a request. Costs an allocation.
    pub(super) fn put<B>(request: &mut Request<B>, transaction: &Transaction) {
        request.extensions_mut().insert(Self(SpanRef::clone(transaction)));
    }

    /// The transaction that the request brings, or else the one that is current here.
    pub(crate) fn of(extensions: &Extensions) -> SpanRef {
        match extensions.get::<Self>() {
            Some(Self(span)) => span.clone(),
            None => current_span().transaction(),
        }
    }
}
