//! What a thread keeps for its next traces: the memory of those that are over, and the global client's pipeline as the
//! thread saw it last.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use arc_swap::{ArcSwapOption, Cache};

use super::pipeline::Pipeline;
use super::state::{OwnTrace, TraceState};

/// Vacant traces that a thread keeps; more than these are open at the same time in bursts only.
const MAX_VACANT: usize = 64;

/// The pipeline of the global client.
pub(crate) static GLOBAL: ArcSwapOption<Pipeline> = ArcSwapOption::const_empty();

thread_local! {
    static KEPT: Kept =
        Kept { seen: RefCell::new(Cache::new(&GLOBAL)), global: Cell::new(None), vacant: RefCell::default() };
}

struct Kept {
    /// Seeing that the global pipeline is still the same takes no write to memory that all threads share.
    seen: RefCell<Cache<&'static ArcSwapOption<Pipeline>, Option<Arc<Pipeline>>>>,
    /// What was found there, to be lent without counting. Empty while it is lent.
    global: Cell<Option<Arc<Pipeline>>>,
    vacant: RefCell<Vec<OwnTrace>>,
}

impl Kept {
    /// Takes the global pipeline out, to be put back into `global`.
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

    /// Lets go of a pipeline that is not global any more.
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

/// Lends the global client's pipeline to `run`, which gives it back: counting it would write to memory that the requests of
/// all threads share.
#[inline]
pub(crate) fn lend_global<R>(run: impl FnOnce(Arc<Pipeline>) -> (Arc<Pipeline>, R)) -> Option<R> {
    let global = KEPT.try_with(Kept::take_global).unwrap_or_else(|_| GLOBAL.load_full());
    let (global, result) = run(global?);
    let _ = KEPT.try_with(|kept| kept.global.set(Some(global)));
    Some(result)
}

/// Returns a vacant trace, in memory that an earlier one has left if there is some.
#[inline]
pub(crate) fn take() -> OwnTrace {
    let vacant = KEPT.try_with(|kept| kept.vacant.try_borrow_mut().ok()?.pop());
    vacant.ok().flatten().unwrap_or_else(|| OwnTrace::new(TraceState::empty()))
}

/// Keeps the memory of a trace that is over.
///
/// It goes on holding the global client, which its thread does anyway: so requests do not have to count it up and down. It
/// must hold nobody else's open.
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
