//! The memory of traces that are over, kept on its thread for the next ones.

use std::cell::RefCell;

use crate::client::global::is_global;
use crate::trace::state::{OwnTrace, TraceState};
use crate::util::clock::Moment;
use crate::util::fork;
use crate::util::thread_local::lend;

/// Traces that a thread keeps room for; more than these are open at the same time in bursts only.
const KEPT: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<OwnTrace>> = const { RefCell::new(Vec::new()) };
}

/// A vacant trace, in memory that an earlier one has left if there is some.
pub(crate) fn trace() -> OwnTrace {
    // All that has ids begins with this.
    fork::notice(Moment::now());
    lend(&SPARE, Vec::pop).flatten().unwrap_or_else(|| OwnTrace::new(TraceState::vacant()))
}

/// Keeps the memory of a trace that is over.
///
/// It goes on holding the global client, which its thread does anyway: so requests do not have to count it up and down. It
/// must hold nobody else's open.
pub(crate) fn give_back(mut trace: OwnTrace) {
    trace.vacate();
    if !is_global(&trace.pipeline) {
        trace.pipeline.forget();
    }
    lend(&SPARE, |spare| {
        if spare.len() < KEPT {
            spare.push(trace);
        }
    });
}

/// Lets go of the client that was the global one.
pub(crate) fn forget_clients() {
    lend(&SPARE, |spare| spare.iter_mut().for_each(|trace| trace.pipeline.forget()));
}
