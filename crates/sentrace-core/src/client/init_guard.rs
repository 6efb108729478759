//! Detects that the guard of `init` was dropped too early, as in `let _ = sentrace::init(..)?`.
//!
//! A regular exit looks much the same. So a dropped guard is only reported if nothing had started
//! by then, or if something starts later that cannot be a remainder of an exiting process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::diagnostics::warn_once;
use crate::trace::pipeline::Pipeline;

/// An unused guard that was held for less time was dropped by mistake.
const MIN_HELD: Duration = Duration::from_secs(1);
/// How long other threads may still be running while a process exits.
const EXIT_GRACE: Duration = Duration::from_secs(2);

static DROPPED: Mutex<Option<Dropped>> = Mutex::new(None);
/// `true` if `DROPPED` is set; read without a lock.
static WATCHING: AtomicBool = AtomicBool::new(false);

/// The last guard of the process, after it was dropped.
struct Dropped {
    at: Instant,
    by: ThreadId,
    unused: bool,
}

/// Called when a client becomes global.
pub(crate) fn bound() {
    watch(None);
}

/// Called when a guard is dropped. `last` is `true` if there is no global client any more.
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

/// Called when something is about to start without a client.
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
            // The thread that dropped the guard is still running, so it was not about to exit.
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
