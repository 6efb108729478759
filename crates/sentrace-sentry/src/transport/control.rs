//! What the worker is asked for, and what it says to it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::after;

#[derive(Debug, Default)]
pub(super) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Flushes are numbered; those up to `flushed` are through.
    wanted: u64,
    flushed: u64,
    /// Whether the transport confirmed the last flush.
    confirmed: bool,
    flush_by: Option<Instant>,
    close_by: Option<Instant>,
    /// Once the worker is gone: whether everything was handed over.
    ended: Option<bool>,
}

/// A flush that somebody waits for.
#[derive(Debug, Clone, Copy)]
pub(super) struct WantedFlush {
    number: u64,
    pub(super) by: Instant,
}

impl Control {
    /// Asks for a flush and waits for it.
    pub(super) fn flush(&self, timeout: Duration, wake: impl FnOnce()) -> bool {
        let by = after(timeout);
        let mut state = self.lock();
        state.wanted += 1;
        let number = state.wanted;
        state.flush_by = state.flush_by.max(Some(by));
        drop(state);
        wake();
        let state = self.wait(by, |state| state.flushed >= number || state.ended.is_some());
        if state.flushed >= number { state.confirmed } else { state.ended == Some(true) }
    }

    /// What has been asked for since the last flush.
    pub(super) fn wanted_flush(&self) -> Option<WantedFlush> {
        let state = self.lock();
        let by = state.flush_by?;
        (state.wanted > state.flushed).then_some(WantedFlush { number: state.wanted, by })
    }

    pub(super) fn flushed(&self, flush: WantedFlush, confirmed: bool) {
        let mut state = self.lock();
        state.flushed = flush.number;
        state.confirmed = confirmed;
        if state.wanted == flush.number {
            state.flush_by = None;
        }
        self.changed.notify_all();
    }

    /// The first to ask for the end says when; who asks later may only want it earlier.
    pub(super) fn request_close(&self, by: Instant) {
        let mut state = self.lock();
        state.close_by = Some(state.close_by.map_or(by, |earlier| earlier.min(by)));
    }

    pub(super) fn close_by(&self) -> Option<Instant> {
        self.lock().close_by
    }

    pub(super) fn end(&self, complete: bool) {
        self.lock().ended.get_or_insert(complete);
        self.changed.notify_all();
    }

    /// How the worker ended; `None` where it has not, by then.
    pub(super) fn wait_for_end(&self, by: Instant) -> Option<bool> {
        self.wait(by, |state| state.ended.is_some()).ended
    }

    fn wait(&self, by: Instant, until: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let timeout = by.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, |state| !until(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
