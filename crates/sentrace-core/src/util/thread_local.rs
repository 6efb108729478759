//! Access to thread-local values.

use std::cell::RefCell;
use std::thread::LocalKey;

/// Calls `edit` with the value. Returns `None` while the thread is shutting down, and if the value
/// is already borrowed.
#[inline]
pub(crate) fn with_mut<T, R>(
    local: &'static LocalKey<RefCell<T>>,
    edit: impl FnOnce(&mut T) -> R,
) -> Option<R> {
    local.try_with(|local| local.try_borrow_mut().ok().map(|mut local| edit(&mut local))).ok().flatten()
}
