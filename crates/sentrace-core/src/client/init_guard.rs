//! Whether the guard of `init` was dropped too early, as `let _ = sentrace::init(..)?` does.
//!
//! An orderly end looks much the same, so it takes more than the drop: nothing had started by then, or something starts
//! later that cannot be a remainder of an ending process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::diagnostics::warn_once;
use crate::trace::pipeline::Pipeline;

/// A guard that was held for a shorter time, and unused, was not meant to be dropped.
const MIN_HELD: Duration = Duration::from_secs(1);
/// For how long other threads may still be at work while a process ends.
const EXIT_GRACE: Duration = Duration::from_secs(2);

static DROPPED: Mutex<Option<Dropped>> = Mutex::new(None);
/// Whether there is one, to be asked without a lock.
static WATCHING: AtomicBool = AtomicBool::new(false);

/// The last guard of the process.
struct Dropped {
    at: Instant,
    by: ThreadId,
    unused: bool,
}

/// A client is global now.
pub(crate) fn bound() {
    watch(None);
}

/// A guard was dropped. `last`: whether there is no global client any more.
pub(crate) fn dropped(pipeline: &Pipeline, held: Duration, last: bool) {
    let sampling = &pipeline.sampling;
    let records =
        sampling.everything || sampling.sampler.is_some() || sampling.rate.is_some_and(|rate| rate > 0.0);
    if !records || std::thread::panicking() {
        return;
    }
    let unused = pipeline.counters.is_unused();
    if last && unused && held < MIN_HELD {
        static WARNED: AtomicBool = AtomicBool::new(false);
        return warn_once(
            &WARNED,
            format_args!(
                "the guard of sentrace::init was dropped {held:.0?} after init and before anything was traced. Unless the \
                 program ends here, nothing will be: `let _ = sentrace::init(..)` drops the guard at once; bind it to a name \
                 that lives as long as main, `let _sentrace = sentrace::init(..)?;`"
            ),
        );
    }
    if last {
        watch(Some(Dropped { at: Instant::now(), by: std::thread::current().id(), unused }));
    }
}

/// Something was to start, and there is no client.
#[inline]
pub(crate) fn warn_if_missing() {
    if WATCHING.load(Ordering::Relaxed) {
        warn_if_dropped_early();
    }
}

#[cold]
fn warn_if_dropped_early() {
    let is_too_early = {
        let dropped = DROPPED.lock().unwrap_or_else(PoisonError::into_inner);
        dropped.as_ref().is_some_and(|dropped| {
            // The thread that dropped it went on, so it was not about to end.
            let went_on = dropped.by == std::thread::current().id();
            dropped.unused || went_on || dropped.at.elapsed() >= EXIT_GRACE
        })
    };
    if is_too_early && !crate::util::hook::in_hook() {
        watch(None);
        static WARNED: AtomicBool = AtomicBool::new(false);
        warn_once(
            &WARNED,
            format_args!(
                "a request or transaction is not traced because the guard of sentrace::init was dropped before it started: \
                 bind the guard to a name that lives as long as main, `let _sentrace = sentrace::init(..)?;`, and drop it \
                 after the server has stopped"
            ),
        );
    }
}

fn watch(dropped: Option<Dropped>) {
    let mut watched = DROPPED.lock().unwrap_or_else(PoisonError::into_inner);
    WATCHING.store(dropped.is_some(), Ordering::Relaxed);
    *watched = dropped;
}
