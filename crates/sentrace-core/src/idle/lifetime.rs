//! Computes when an idle transaction ends, and its end time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sentrace_protocol::SpanStatus;

use crate::handle::span::SpanRef;
use crate::options::idle::Timeouts;
use crate::record::{Record, Slot};
use crate::trace::state::SharedTrace;
use crate::util::clock::FastInstant;

/// The key that the browser SDK uses, too (sentry-conventions).
const FINISH_REASON: &str = "sentry.idle_span_finish_reason";

/// Why it ended, with the browser SDK's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FinishReason {
    Idle,
    Final,
    External,
    /// Another one was started.
    Replaced,
}

impl FinishReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idleTimeout",
            Self::Final => "finalTimeout",
            Self::External => "externalFinish",
            Self::Replaced => "cancelled",
        }
    }
}

/// An idle transaction, open or ended. Shared by its handles, its activities and the timer.
#[derive(Debug)]
pub(crate) struct Idle {
    trace: SharedTrace,
    started: FastInstant,
    idle_timeout: Duration,
    final_at: FastInstant,
    activities: Mutex<Activities>,
}

#[derive(Debug, Default)]
struct Activities {
    open: usize,
    /// The end of the last activity without a span; spans record their own.
    last_end: Option<FastInstant>,
    ended: bool,
}

/// What keeps the transaction open: activities, and its spans.
struct Work {
    is_open: bool,
    last_end: Option<FastInstant>,
}

impl Idle {
    pub(crate) fn new(trace: SharedTrace, timeouts: Timeouts) -> Self {
        let recorded =
            trace.live().record.as_ref().and_then(|record| record.spans.first()).map(|span| span.start);
        let started = recorded.unwrap_or_else(FastInstant::now);
        let final_at = started.saturating_add(timeouts.last);
        Self { trace, started, idle_timeout: timeouts.idle, final_at, activities: Mutex::default() }
    }

    pub(crate) fn trace(&self) -> &SharedTrace {
        &self.trace
    }

    pub(crate) fn span(&self) -> SpanRef {
        SpanRef::root(SharedTrace::clone(&self.trace))
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.activities().ended
    }

    /// Returns when to poll for the first time.
    pub(crate) fn first_poll(&self) -> FastInstant {
        self.no_later_than_final(self.started)
    }

    /// Opens an activity. Returns `false` if the transaction has ended.
    pub(crate) fn push(&self) -> bool {
        let mut activities = self.activities();
        if !activities.ended {
            activities.open += 1;
        }
        !activities.ended
    }

    /// Ends an activity. Without a recorded span, now is its end.
    pub(crate) fn pop(&self, has_recorded_span: bool) {
        let mut activities = self.activities();
        activities.open = activities.open.saturating_sub(1);
        if !has_recorded_span {
            activities.last_end = Some(FastInstant::now());
        }
    }

    /// Ends the transaction if it is due; otherwise returns when to poll again.
    ///
    /// What is open now ends no earlier than now, so the transaction cannot be due before another
    /// idle timeout has passed. Spans that end need not notify the timer.
    pub(crate) fn poll(&self, now: FastInstant) -> Option<FastInstant> {
        let mut activities = self.activities();
        if activities.ended {
            return None;
        }
        let work = self.work(&activities);
        if now >= self.final_at {
            activities.ended = true;
            drop(activities);
            self.end(self.end_of(&work, now), FinishReason::Final);
            return None;
        }
        if work.is_open {
            return Some(self.no_later_than_final(now));
        }
        let since = work.last_end.unwrap_or(self.started);
        if now.saturating_duration_since(since) < self.idle_timeout {
            return Some(self.no_later_than_final(since));
        }
        activities.ended = true;
        drop(activities);
        self.end(since, FinishReason::Idle);
        None
    }

    /// Ends the transaction, unless it has ended. Its end is that of the last activity or span, or
    /// now if one is still open or there never was any.
    pub(crate) fn finish(&self, reason: FinishReason) {
        let now = FastInstant::now();
        let mut activities = self.activities();
        if std::mem::replace(&mut activities.ended, true) {
            return;
        }
        let work = self.work(&activities);
        drop(activities);
        self.end(self.end_of(&work, now), reason);
    }

    fn end_of(&self, work: &Work, now: FastInstant) -> FastInstant {
        let idle_since = if work.is_open { None } else { work.last_end };
        idle_since.unwrap_or(now).min(self.final_at)
    }

    fn no_later_than_final(&self, idle_from: FastInstant) -> FastInstant {
        idle_from.saturating_add(self.idle_timeout).min(self.final_at)
    }

    fn work(&self, activities: &Activities) -> Work {
        let mut work = Work { is_open: activities.open > 0, last_end: activities.last_end };
        let live = self.trace.live();
        for span in live.record.iter().flat_map(|record| record.spans.iter().skip(1)) {
            work.is_open |= span.end.is_none() || span.end_is_provisional;
            work.last_end = work.last_end.max(span.end);
        }
        if let Some(stream) = &live.stream {
            work.is_open |= stream.has_open_spans();
            work.last_end = work.last_end.max(stream.last_end());
        }
        work
    }

    fn end(&self, at: FastInstant, reason: FinishReason) {
        crate::trace::finish::cancel_streamed_spans(&self.trace, at);
        crate::trace::finish::end_transaction(SharedTrace::clone(&self.trace), |record| {
            complete(record, at, reason);
        });
    }

    fn activities(&self) -> MutexGuard<'_, Activities> {
        self.activities.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Idle {
    /// It is only open here if no timer thread could be started.
    fn drop(&mut self) {
        self.finish(FinishReason::External);
    }
}

/// Adds the last entries to the record. Open spans are cancelled; spans that started after the end
/// are dropped.
fn complete(record: &mut Record, at: FastInstant, reason: FinishReason) {
    if let Some((root, children)) = record.spans.split_first_mut() {
        root.end = Some(at);
        if reason == FinishReason::Final {
            root.status.get_or_insert(SpanStatus::DeadlineExceeded);
        }
        for child in children.iter_mut().filter(|child| child.end.is_none() && child.start <= at) {
            child.end = Some(at);
            child.status.get_or_insert(SpanStatus::Cancelled);
        }
    }
    record.set_data(Slot::ROOT, FINISH_REASON.into(), reason.as_str().into());
}
