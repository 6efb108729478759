//! Files that this process has sent and could not remove.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::name::Name;

/// Shared by all spools of the process: a later client must not send them again. Names contain a random id, so they are
/// unique across folders.
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
