//! What callers ask of the worker besides work: flushes and the end.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::time;

/// Requests from callers, who wait on a plain condition variable: that works on any thread, in any runtime and
/// while a panic unwinds.
#[derive(Debug, Default)]
pub(crate) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    flushes_requested: u64,
    flushes_done: u64,
    close_by: Option<Instant>,
    end: Option<End>,
}

/// How the worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything was posted and answered, or could not be.
    Complete,
    /// Something was given up for want of time; it is counted.
    CutShort,
}

impl Control {
    /// Asks for a flush; `wake` makes the worker look.
    pub(crate) fn flush(&self, timeout: Duration, wake: impl FnOnce()) -> bool {
        let number = {
            let mut state = self.lock();
            state.flushes_requested += 1;
            state.flushes_requested
        };
        wake();
        let state = self.wait(timeout, |state| state.flushes_done < number && state.end.is_none());
        state.flushes_done >= number || state.end.is_some()
    }

    /// Asks the worker to end within `timeout`. Who asks first sets the time.
    pub(crate) fn request_close(&self, timeout: Duration) {
        let by = time::after(Instant::now(), timeout);
        self.lock().close_by.get_or_insert(by);
    }

    /// Waits for the end and returns how it was; `None` if it did not come in time.
    pub(crate) fn wait_for_end(&self, timeout: Duration) -> Option<End> {
        self.wait(timeout, |state| state.end.is_none()).end
    }

    /// Whether the worker has not ended.
    pub(crate) fn is_running(&self) -> bool {
        self.lock().end.is_none()
    }

    /// How many flushes were asked for so far.
    pub(crate) fn flushes_requested(&self) -> u64 {
        self.lock().flushes_requested
    }

    /// By when the worker has to end, once it has to.
    pub(crate) fn close_by(&self) -> Option<Instant> {
        self.lock().close_by
    }

    /// Answers all flushes up to this one.
    pub(crate) fn flushed(&self, number: u64) {
        let mut state = self.lock();
        state.flushes_done = state.flushes_done.max(number);
        self.changed.notify_all();
    }

    /// Says how the worker ended; the first word stands.
    pub(crate) fn end(&self, end: End) {
        self.lock().end.get_or_insert(end);
        self.changed.notify_all();
    }

    fn wait(&self, timeout: Duration, pending: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited =
            self.changed.wait_timeout_while(self.lock(), timeout.min(time::LONGEST), |state| pending(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
