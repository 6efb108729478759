//! Files that this process has sent and could not remove.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::name::Name;

/// For all spools of the process: a client that is made later must not send them again. Names hold a random id, so
/// folders need not be told apart.
static DONE: Mutex<BTreeSet<Name>> = Mutex::new(BTreeSet::new());

pub(super) fn add(name: Name) {
    lock().insert(name);
}

pub(super) fn contains(name: &Name) -> bool {
    lock().contains(name)
}

fn lock() -> MutexGuard<'static, BTreeSet<Name>> {
    DONE.lock().unwrap_or_else(PoisonError::into_inner)
}
