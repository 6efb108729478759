//! Activities, which keep an idle transaction open.

use crate::handle::current::with_current;
use std::sync::Arc;

use super::lifetime::Idle;
use super::span_options::SpanOptions;
use crate::diagnostics::{debug, with_debug_mode};
use crate::handle::span::{Span, SpanRef};
use crate::trace::state::SharedTrace;
use crate::util::hook::in_hook;

/// Keeps an idle transaction open until it is [popped](crate::pop_activity) or dropped.
///
/// If no idle transaction was open when it was pushed, it does nothing.
#[derive(Debug, Default)]
#[must_use = "an activity that is dropped at once keeps nothing open"]
pub struct Activity {
    idle: Option<Arc<Idle>>,
    span: Option<Span>,
}

impl Activity {
    pub(crate) fn none() -> Self {
        Self::default()
    }

    pub(crate) fn push(idle: &Arc<Idle>, name: &str, span: Option<SpanOptions<'_>>) -> Self {
        // An activity of a hook would be recorded.
        if in_hook() || !idle.push() {
            return Self::none();
        }
        if idle.trace().pipeline.debug {
            let said = || debug(format_args!("activity {name:?} keeps its idle transaction open"));
            with_debug_mode(true, said);
        }
        let mut activity = Self { idle: Some(Arc::clone(idle)), span: None };
        activity.span = span.map(|span| span.start_below(&parent_in(idle)));
        activity
    }

    /// Ends the activity, as dropping does.
    pub fn pop(self) {}

    /// Returns its span, or the transaction's own span if it has none.
    pub fn span(&self) -> SpanRef {
        let own = self.span.as_ref().map(|span| SpanRef::clone(span));
        own.or_else(|| self.idle.as_ref().map(|idle| idle.span())).unwrap_or_default()
    }

    /// Returns `true` if no idle transaction was open when it was pushed, so that it keeps nothing
    /// open.
    pub fn is_none(&self) -> bool {
        self.idle.is_none()
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        let Some(idle) = self.idle.take() else { return };
        let span = self.span.take();
        let is_recorded = span.as_ref().is_some_and(|span| span.is_recording());
        // The span ends first: while the activity is open, the last end is not read.
        drop(span);
        idle.pop(is_recorded);
    }
}

/// Returns the current span if it belongs to the transaction, or else the transaction's own span.
fn parent_in(idle: &Arc<Idle>) -> SpanRef {
    let current = with_current(SpanRef::clone).unwrap_or_default();
    let belongs = current.trace().is_some_and(|trace| SharedTrace::ptr_eq(trace, idle.trace()));
    if belongs { current } else { idle.span() }
}
