//! The memory of traces that are over, kept on its thread for the next ones.

use std::cell::RefCell;

use crate::trace::{OwnTrace, TraceState};

/// Traces that a thread keeps room for; more than these are open at the same time in bursts only.
const KEPT: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<OwnTrace>> = const { RefCell::new(Vec::new()) };
}

/// A vacant trace, in memory that an earlier one has left if there is some.
pub(crate) fn trace() -> OwnTrace {
    with(Vec::pop).flatten().unwrap_or_else(|| OwnTrace::new(TraceState::vacant()))
}

/// Keeps the memory of a trace that is over and vacant.
pub(crate) fn give_back(trace: OwnTrace) {
    with(|spare| {
        if spare.len() < KEPT {
            spare.push(trace);
        }
    });
}

/// `None` where the thread is going down, and where it is in here already.
fn with<R>(edit: impl FnOnce(&mut Vec<OwnTrace>) -> R) -> Option<R> {
    SPARE.try_with(|spare| spare.try_borrow_mut().ok().map(|mut spare| edit(&mut spare))).ok().flatten()
}
