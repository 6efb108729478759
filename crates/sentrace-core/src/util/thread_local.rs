//! What a thread has for itself.

use std::cell::RefCell;
use std::thread::LocalKey;

/// Lends it. `None` where the thread is going down, and where it is lent already.
#[inline]
pub(crate) fn with_mut<T, R>(
    local: &'static LocalKey<RefCell<T>>,
    edit: impl FnOnce(&mut T) -> R,
) -> Option<R> {
    local.try_with(|local| local.try_borrow_mut().ok().map(|mut local| edit(&mut local))).ok().flatten()
}
