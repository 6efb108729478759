//! Detects requests that already have a transaction from another layer around this one.
//!
//! On the same task, the current transaction and what it knows of its request are enough. If a task lies between two layers,
//! as with tower's `Buffer`, only the request itself can tell: it is marked. Marks alone would do, but the entry makes axum's
//! table of extensions grow, which costs a tenth of the layer's time, and in almost all processes each request passes one
//! layer once. So requests that continue a caller's trace are marked only until this is known: the first ones of a process,
//! a few of the others, and all of them once it has made a difference.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use http::Extensions;
use sentrace_core::Transaction;

/// Layers created so far, without their clones.
static LAYERS: AtomicUsize = AtomicUsize::new(0);

/// Whether a request has arrived inside another one, or has passed two layers.
static NESTED: AtomicBool = AtomicBool::new(false);

/// Requests that were marked to find this out.
static PROBES: AtomicU32 = AtomicU32::new(0);
const MAX_PROBES: u32 = 64;

#[derive(Debug, Clone, Copy)]
struct AlreadyTraced;

/// Counts a layer that is created.
pub(super) fn count_layer() {
    LAYERS.fetch_add(1, Ordering::Relaxed);
}

/// Records that a request has arrived inside another one, or has passed two layers.
#[cold]
pub(super) fn note_nested() {
    if !NESTED.load(Ordering::Relaxed) {
        NESTED.store(true, Ordering::Relaxed);
    }
}

/// Marks a request that has got its transaction, if a mark may be needed.
pub(super) fn mark(extensions: &mut Extensions, transaction: &Transaction) {
    // If the caller has decided not to record, a second layer comes to the same result without a mark.
    if transaction.begins_trace() || (transaction.is_sampled() && is_needed(transaction)) {
        extensions.insert(AlreadyTraced);
        transaction.set_request_marked();
    }
}

pub(super) fn is_marked(extensions: &Extensions) -> bool {
    extensions.get::<AlreadyTraced>().is_some()
}

fn is_needed(transaction: &Transaction) -> bool {
    LAYERS.load(Ordering::Relaxed) > 1 || NESTED.load(Ordering::Relaxed) || is_probe(transaction)
}

fn is_probe(transaction: &Transaction) -> bool {
    if PROBES.load(Ordering::Relaxed) < MAX_PROBES {
        PROBES.fetch_add(1, Ordering::Relaxed);
        return true;
    }
    // One in 256 of the others: ids are random.
    transaction.span_id().is_some_and(|id| id.to_bytes()[0] == 0)
}
