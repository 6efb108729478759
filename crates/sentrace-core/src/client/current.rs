//! What is current, an open idle transaction included.

use super::Client;
use crate::handle::current::with_current;
use crate::handle::span::SpanRef;
use crate::idle::timer;

/// The current span: inside `in_span` or a scope that span, elsewhere in a request its transaction, and where nothing
/// else is, an open [idle transaction](crate::start_idle_transaction).
///
/// Where nothing is current, it is a span on which everything may be called and nothing happens.
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

/// What is current where nothing else is: the global client's open idle transaction.
#[cold]
fn idle_transaction() -> Option<SpanRef> {
    timer::default_of(Client::global()?.pipeline()).map(|idle| idle.span())
}
