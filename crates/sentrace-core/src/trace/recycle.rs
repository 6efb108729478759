//! What a thread keeps for its next traces: the memory of finished ones, and the global client's
//! pipeline as the thread saw it last.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use arc_swap::{ArcSwapOption, Cache};

use super::pipeline::Pipeline;
use super::state::{OwnTrace, TraceState};

/// Finished traces that a thread keeps. More than these are open at the same time only in bursts.
const MAX_VACANT: usize = 64;

/// The pipeline of the global client.
pub(crate) static GLOBAL: ArcSwapOption<Pipeline> = ArcSwapOption::const_empty();

thread_local! {
    static KEPT: Kept =
        Kept { seen: RefCell::new(Cache::new(&GLOBAL)), global: Cell::new(None), vacant: RefCell::default() };
}

struct Kept {
    /// Checking that the global pipeline is unchanged writes to no memory that threads share.
    seen: RefCell<Cache<&'static ArcSwapOption<Pipeline>, Option<Arc<Pipeline>>>>,
    /// The pipeline found there, to be lent without counting. Empty while it is lent.
    global: Cell<Option<Arc<Pipeline>>>,
    vacant: RefCell<Vec<OwnTrace>>,
}

impl Kept {
    /// Takes the global pipeline out. The caller puts it back into `global`.
    #[inline]
    fn take_global(&self) -> Option<Arc<Pipeline>> {
        let Ok(mut seen) = self.seen.try_borrow_mut() else { return GLOBAL.load_full() };
        let global = seen.load();
        let kept = self.global.take();
        if global.as_ref().map(Arc::as_ptr) == kept.as_ref().map(Arc::as_ptr) {
            return kept;
        }
        let global = global.clone();
        drop(seen);
        self.replace(kept, global)
    }

    /// Drops a pipeline that is not global any more.
    #[cold]
    fn replace(&self, old: Option<Arc<Pipeline>>, new: Option<Arc<Pipeline>>) -> Option<Arc<Pipeline>> {
        drop(old);
        if let Ok(mut vacant) = self.vacant.try_borrow_mut() {
            vacant.iter_mut().for_each(|trace| trace.pipeline.clear());
        }
        new
    }

    #[inline]
    fn is_global(&self, pipeline: &Pipeline) -> bool {
        let Ok(mut seen) = self.seen.try_borrow_mut() else { return false };
        seen.load().as_deref().is_some_and(|global| std::ptr::eq(global, pipeline))
    }
}

/// Returns the global client's pipeline.
pub(crate) fn global() -> Option<Arc<Pipeline>> {
    let known = KEPT.try_with(|kept| {
        let global = kept.take_global();
        kept.global.set(global.clone());
        global
    });
    known.unwrap_or_else(|_| GLOBAL.load_full())
}

/// Passes the global client's pipeline to `run`, which returns it. Counting references would write
/// to memory that the requests of all threads share.
#[inline]
pub(crate) fn lend_global<R>(run: impl FnOnce(Arc<Pipeline>) -> (Arc<Pipeline>, R)) -> Option<R> {
    let global = KEPT.try_with(Kept::take_global).unwrap_or_else(|_| GLOBAL.load_full());
    let (global, result) = run(global?);
    let _ = KEPT.try_with(|kept| kept.global.set(Some(global)));
    Some(result)
}

/// Returns an empty trace, in the memory of a finished one if there is any.
#[inline]
pub(crate) fn take() -> OwnTrace {
    let vacant = KEPT.try_with(|kept| kept.vacant.try_borrow_mut().ok()?.pop());
    vacant.ok().flatten().unwrap_or_else(|| OwnTrace::new(TraceState::empty()))
}

/// Keeps the memory of a finished trace.
///
/// It keeps its reference to the global client, which the thread has anyway, so that requests need
/// not count it up and down. It must not keep other clients alive.
#[inline]
pub(crate) fn give_back(mut trace: OwnTrace) {
    trace.reset();
    let _ = KEPT.try_with(|kept| {
        if !kept.is_global(&trace.pipeline) {
            trace.pipeline.clear();
        }
        if let Ok(mut vacant) = kept.vacant.try_borrow_mut()
            && vacant.len() < MAX_VACANT
        {
            vacant.push(trace);
        }
    });
}
