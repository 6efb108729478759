//! Whether this thread's Hub is still alive. `Hub::current` panics once its thread-local has been destroyed, and with the
//! official crate's panic hook that aborts the process.

use std::cell::Cell;

use sentry_core::Hub;

thread_local! {
    static WITNESS: Witness = Witness::new();
    /// Has no destructor, so that it can be read at any time.
    static WITNESSED: Cell<bool> = const { Cell::new(false) };
}

/// Created after the thread's Hub, and so destroyed before it.
struct Witness;

impl Witness {
    fn new() -> Self {
        drop(Hub::current());
        WITNESSED.set(true);
        Self
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // Having a destructor is enough.
    }
}

/// Returns `true` if this thread has a Hub that can be replaced.
pub(super) fn has_hub() -> bool {
    WITNESS.try_with(|_| ()).is_ok()
}

/// Like [`has_hub`], for destructors, which may run as late as the end of a thread. Returns `false` on a thread that has not run
/// requests, where it is unknown.
pub(super) fn still_has_hub() -> bool {
    WITNESSED.get() && has_hub()
}
