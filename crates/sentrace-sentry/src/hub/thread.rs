//! Whether a thread still has a current Hub. The official crate panics where it has none any more, and with its panic
//! hook that ends the process.

use std::cell::Cell;

use sentry_core::Hub;

thread_local! {
    static WITNESS: Witness = Witness::new();
    /// Has no destructor, so that it can be asked at any time.
    static WITNESSED: Cell<bool> = const { Cell::new(false) };
}

/// Made after the thread's Hub, and so gone before it.
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
        // That it can be dropped is all that makes it a witness.
    }
}

/// Whether there is a current Hub to be replaced here.
pub(super) fn has_hub() -> bool {
    WITNESS.try_with(|_| ()).is_ok()
}

/// The same where something is dropped, which may be as late as the end of a thread. Of a thread that has not run
/// requests nobody knows, so the answer is no.
pub(super) fn still_has_hub() -> bool {
    WITNESSED.get() && has_hub()
}
