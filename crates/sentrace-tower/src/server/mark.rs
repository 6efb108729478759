//! How a layer knows that a request has its transaction already, by another layer around it.
//!
//! On the same task the current transaction tells, together with what it knows of its request. Where another task lies
//! between two layers, as tower's `Buffer` has one, only the request itself can: it is marked. A mark would be all that is
//! needed, but it is the entry that makes axum's table of extensions grow, a tenth of what the layer costs; and nearly all
//! processes have one layer that each request passes once. So requests that go on from a caller are marked only as long as
//! it takes to find out: the first of a process, a few of the others, and all of them where that has made a difference.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use http::Extensions;
use sentrace_core::Transaction;

/// Layers made so far, clones not counted.
static LAYERS: AtomicUsize = AtomicUsize::new(0);

/// Whether a request has arrived in another one, or passed two layers.
static NESTED: AtomicBool = AtomicBool::new(false);

/// Requests that were marked to find out.
static FIRST: AtomicU32 = AtomicU32::new(0);
const FIRST_MARKED: u32 = 64;

#[derive(Debug, Clone, Copy)]
struct Traced;

/// A layer is made.
pub(super) fn count_layer() {
    LAYERS.fetch_add(1, Ordering::Relaxed);
}

/// A request has arrived in another one, or passed two layers.
#[cold]
pub(super) fn note_nested() {
    if !NESTED.load(Ordering::Relaxed) {
        NESTED.store(true, Ordering::Relaxed);
    }
}

/// Marks a request that has got its transaction.
pub(super) fn mark(extensions: &mut Extensions, transaction: &Transaction) {
    // Where the caller has decided against recording, a second layer comes to the same end without one.
    if transaction.begins_trace() || (transaction.is_sampled() && is_needed(transaction)) {
        extensions.insert(Traced);
        transaction.set_request_marked();
    }
}

pub(super) fn is_marked(extensions: &Extensions) -> bool {
    extensions.get::<Traced>().is_some()
}

fn is_needed(transaction: &Transaction) -> bool {
    LAYERS.load(Ordering::Relaxed) > 1 || NESTED.load(Ordering::Relaxed) || finds_out(transaction)
}

fn finds_out(transaction: &Transaction) -> bool {
    if FIRST.load(Ordering::Relaxed) < FIRST_MARKED {
        FIRST.fetch_add(1, Ordering::Relaxed);
        return true;
    }
    // Of further requests one in 256: ids are random.
    transaction.span_id().is_some_and(|id| id.to_bytes()[0] == 0)
}
