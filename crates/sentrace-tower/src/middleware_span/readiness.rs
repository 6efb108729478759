//! Tells whether a middleware that is not ready waits for itself or for its inner service.

use std::cell::Cell;
use std::task::Poll;

thread_local! {
    static INNER_IS_PENDING: Cell<bool> = const { Cell::new(false) };
}

/// Polls a middleware. Returns `true` beside the result if the middleware itself is not ready.
pub(super) fn poll<T>(middleware: impl FnOnce() -> Poll<T>) -> (Poll<T>, bool) {
    note(false);
    let polled = middleware();
    let is_waiting = polled.is_pending() && !INNER_IS_PENDING.try_with(Cell::get).unwrap_or(true);
    (polled, is_waiting)
}

/// Stores what the inner service returned, which the middleware polls on this thread.
pub(super) fn note(inner_is_pending: bool) {
    // This fails on a thread that is being destroyed, where nothing reads it.
    let _ = INNER_IS_PENDING.try_with(|pending| pending.set(inner_is_pending));
}
