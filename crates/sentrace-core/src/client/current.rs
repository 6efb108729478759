//! The current span, including an open idle transaction.

use super::Client;
use crate::handle::current::with_current;
use crate::handle::span::SpanRef;
use crate::idle::timer;

/// Returns the current span.
///
/// Inside `in_span` or a scope it is that span, elsewhere in a request it is the transaction. If
/// nothing is current, it is an open [idle transaction](crate::start_idle_transaction), or a handle
/// whose methods do nothing.
///
/// ```
/// sentrace_core::current_span().set_data("cart.total", 12.5);
/// ```
pub fn current_span() -> SpanRef {
    let current = with_current(SpanRef::clone).unwrap_or_default();
    if current.is_none() && timer::any_open() {
        return idle_transaction().unwrap_or_default();
    }
    current
}

/// Returns the global client's open idle transaction, which is current if nothing else is.
#[cold]
fn idle_transaction() -> Option<SpanRef> {
    timer::default_of(Client::global()?.pipeline()).map(|idle| idle.span())
}
