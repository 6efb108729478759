//! Who waits when a middleware is not ready: itself, or the service inside.

use std::cell::Cell;
use std::task::Poll;

thread_local! {
    static INSIDE_WAITS: Cell<bool> = const { Cell::new(false) };
}

/// Polls a middleware, and tells whether it waits for something of its own.
pub(super) fn poll<T>(middleware: impl FnOnce() -> Poll<T>) -> (Poll<T>, bool) {
    note(false);
    let polled = middleware();
    let waits = polled.is_pending() && !INSIDE_WAITS.try_with(Cell::get).unwrap_or(true);
    (polled, waits)
}

/// Notes what the service inside said, which the middleware asked on this thread.
pub(super) fn note(inside_waits: bool) {
    // On a thread that is going down nobody asks any more.
    let _ = INSIDE_WAITS.try_with(|waits| waits.set(inside_waits));
}
