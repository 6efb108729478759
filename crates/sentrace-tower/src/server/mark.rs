//! How a layer knows that the request has its transaction already, by another layer around it.
//!
//! Requests that go on from a caller are told by it: the current trace goes on from the same one. That sees nothing where
//! another task lies between two layers, so where there are several in the process requests are marked. A mark would
//! be all that is needed, but it is the entry that makes axum's table of extensions grow, a tenth of what the layer
//! costs; and nearly all processes have one.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::Extensions;
use sentrace_core::Incoming;

/// Layers made so far, clones not counted.
static LAYERS: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug, Clone, Copy)]
struct Traced;

/// A layer is made.
pub(super) fn count_layer() {
    LAYERS.fetch_add(1, Ordering::Relaxed);
}

/// Marks a request; `recorded` is whether a second transaction would be sent.
pub(super) fn mark(extensions: &mut Extensions, begins_trace: bool, recorded: bool) {
    // Where the caller has decided against recording, a second layer comes to the same end without one.
    if begins_trace || (recorded && several_layers()) {
        extensions.insert(Traced);
    }
}

pub(super) fn is_marked(extensions: &Extensions) -> bool {
    extensions.get::<Traced>().is_some()
}

/// Whether what came in is told to be the current transaction's request by its caller.
pub(super) fn is_current(incoming: &Incoming) -> bool {
    // Marks tell apart what a handler sends on with the headers that it got.
    incoming.continued_already().is_some_and(|recorded| !recorded || !several_layers())
}

fn several_layers() -> bool {
    LAYERS.load(Ordering::Relaxed) > 1
}
