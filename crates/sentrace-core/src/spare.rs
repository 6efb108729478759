//! The memory of traces that are over, kept on its thread for the next ones.

use std::cell::RefCell;

use crate::local::lend;
use crate::trace::{OwnTrace, TraceState};

/// Traces that a thread keeps room for; more than these are open at the same time in bursts only.
const KEPT: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<OwnTrace>> = const { RefCell::new(Vec::new()) };
}

/// A vacant trace, in memory that an earlier one has left if there is some.
pub(crate) fn trace() -> OwnTrace {
    lend(&SPARE, Vec::pop).flatten().unwrap_or_else(|| OwnTrace::new(TraceState::vacant()))
}

/// Keeps the memory of a trace that is over and vacant.
pub(crate) fn give_back(trace: OwnTrace) {
    lend(&SPARE, |spare| {
        if spare.len() < KEPT {
            spare.push(trace);
        }
    });
}
