//! The memory of traces that are over, kept on its thread for the next ones.

use std::cell::RefCell;
use std::sync::Arc;

use crate::baggage::Baggage;
use crate::trace::TraceState;

/// Traces that a thread keeps room for; more than these are open at the same time in bursts only.
const KEPT: usize = 64;

#[derive(Default)]
struct Spare {
    /// Vacant ones, which nobody else holds.
    traces: Vec<Arc<TraceState>>,
    baggages: Vec<Baggage>,
}

thread_local! {
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare { traces: Vec::new(), baggages: Vec::new() }) };
}

/// Shares `state`, in memory that an earlier trace has left if there is some.
pub(crate) fn share(state: TraceState) -> Arc<TraceState> {
    match with(|spare| spare.traces.pop()).flatten() {
        Some(mut shared) => match Arc::get_mut(&mut shared) {
            Some(vacant) => {
                *vacant = state;
                shared
            }
            None => Arc::new(state),
        },
        None => Arc::new(state),
    }
}

/// An empty context, with the buffers of an earlier one if there is one.
pub(crate) fn baggage() -> Baggage {
    with(|spare| spare.baggages.pop()).flatten().unwrap_or_default()
}

/// Keeps the memory of a trace that is over, and what its context used.
pub(crate) fn give_back(trace: Arc<TraceState>, mut baggage: Baggage) {
    with(|spare| {
        if spare.traces.len() < KEPT {
            baggage.clear();
            spare.baggages.push(baggage);
            spare.traces.push(trace);
        }
    });
}

/// `None` where the thread is going down, and where it is in here already.
fn with<R>(edit: impl FnOnce(&mut Spare) -> R) -> Option<R> {
    SPARE.try_with(|spare| spare.try_borrow_mut().ok().map(|mut spare| edit(&mut spare))).ok().flatten()
}
