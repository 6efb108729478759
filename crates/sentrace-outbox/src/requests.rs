//! What callers ask of the consumer besides work: flush and close.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::deadline::{LONGEST_WAIT, deadline};

/// Flush and close requests, and how the consumer ended.
///
/// Callers wait on a condition variable, which works on any thread, within any runtime and while a panic unwinds.
#[derive(Debug, Default)]
pub struct Requests {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Flushes are numbered from 1.
    requested: u64,
    completed: u64,
    /// Whether the last completed flush succeeded.
    succeeded: bool,
    flush_by: Option<Instant>,
    close_by: Option<Instant>,
    end: Option<End>,
}

/// How the consumer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything was sent.
    Complete,
    /// Something was discarded, and counted, for lack of time or because the consumer failed.
    CutShort,
}

/// A flush that a caller waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlushRequest {
    /// Completing a flush completes all with a lower number.
    pub number: u64,
    /// When the last of the callers stops waiting.
    pub by: Instant,
}

impl Requests {
    /// Requests a flush, calls `wake`, and waits. Returns `false` on timeout and if the flush did not succeed. After the
    /// end, returns `true`: everything was sent or counted as lost, and nothing is left to wait for.
    pub(crate) fn flush(&self, timeout: Duration, wake: impl FnOnce()) -> bool {
        let number = {
            let mut state = self.lock();
            state.requested += 1;
            state.flush_by = state.flush_by.max(Some(deadline(Instant::now(), timeout)));
            state.requested
        };
        wake();
        let state = self.wait_while(timeout, |state| state.completed < number && state.end.is_none());
        if state.completed >= number { state.succeeded } else { state.end.is_some() }
    }

    /// Returns the latest flush that is not completed, which stands for all before it.
    pub fn pending_flush(&self) -> Option<FlushRequest> {
        let state = self.lock();
        let by = state.flush_by.filter(|_| state.requested > state.completed)?;
        Some(FlushRequest { number: state.requested, by })
    }

    /// Completes all flushes up to `number`.
    pub fn complete_flush(&self, number: u64, succeeded: bool) {
        let mut state = self.lock();
        state.completed = state.completed.max(number);
        state.succeeded = succeeded;
        if state.completed == state.requested {
            state.flush_by = None;
        }
        self.changed.notify_all();
    }

    /// Asks the consumer to end. Of several deadlines the earliest applies: the caller that set it has no more time, and
    /// would otherwise have to discard what a consumer that knows can still put on disk.
    pub(crate) fn request_close(&self, deadline: Instant) {
        let mut state = self.lock();
        state.close_by = Some(state.close_by.map_or(deadline, |earlier| earlier.min(deadline)));
    }

    /// Returns when the consumer has to end, once that was requested. A later request may still set an earlier time.
    pub fn close_deadline(&self) -> Option<Instant> {
        self.lock().close_by
    }

    /// Reports how the consumer ended. Only the first report counts.
    pub fn end(&self, end: End) {
        self.lock().end.get_or_insert(end);
        self.changed.notify_all();
    }

    /// Waits for the end. Returns `None` on timeout.
    pub(crate) fn wait_for_end(&self, timeout: Duration) -> Option<End> {
        self.wait_while(timeout, |state| state.end.is_none()).end
    }

    /// Returns `true` until the consumer has ended.
    pub(crate) fn is_running(&self) -> bool {
        self.lock().end.is_none()
    }

    fn wait_while(&self, timeout: Duration, pending: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let timeout = timeout.min(LONGEST_WAIT);
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, |state| pending(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn a_flush_is_answered_by_its_completion_or_by_how_the_consumer_ended() {
        for (completed, end, expected, reason) in [
            (Some(true), None, true, "it succeeded"),
            (Some(false), None, false, "it did not"),
            (Some(true), Some(End::CutShort), true, "it succeeded before the end"),
            (None, Some(End::Complete), true, "everything was sent"),
            (None, Some(End::CutShort), true, "everything was sent or discarded"),
        ] {
            let requests = Requests::default();
            let answered = requests.flush(LONG, || {
                let flush = requests.pending_flush().unwrap();
                if let Some(succeeded) = completed {
                    requests.complete_flush(flush.number, succeeded);
                }
                if let Some(end) = end {
                    requests.end(end);
                }
            });
            assert_eq!(answered, expected, "{reason}");
            if end.is_some() {
                assert!(requests.flush(LONG, || ()), "{reason}, afterwards");
            }
        }
        assert!(!Requests::default().flush(Duration::from_millis(1), || ()), "no answer in time");
    }

    #[test]
    fn a_pending_flush_stands_for_all_before_it_until_the_last_caller_gives_up() {
        let (requests, start) = (Requests::default(), Instant::now());
        assert_eq!(requests.pending_flush(), None);
        requests.flush(Duration::from_millis(20), || ());
        requests.flush(Duration::ZERO, || ());
        let pending = requests.pending_flush().unwrap();
        assert!(pending.number == 2 && pending.by >= start + Duration::from_millis(20));
        requests.complete_flush(1, true);
        assert_eq!(requests.pending_flush(), Some(pending));
        requests.complete_flush(2, true);
        assert_eq!(requests.pending_flush(), None);
    }

    #[test]
    fn the_earliest_deadline_to_close_applies_and_the_first_end() {
        let (requests, now) = (Requests::default(), Instant::now());
        assert_eq!(requests.close_deadline(), None);
        for (seconds, expected) in [(30, 30), (1, 1), (2, 1)] {
            requests.request_close(now + Duration::from_secs(seconds));
            assert_eq!(requests.close_deadline(), Some(now + Duration::from_secs(expected)));
        }
        assert!(requests.is_running() && requests.wait_for_end(Duration::ZERO).is_none());
        requests.end(End::CutShort);
        requests.end(End::Complete);
        assert_eq!(requests.wait_for_end(LONG), Some(End::CutShort));
        assert!(!requests.is_running());
    }
}
