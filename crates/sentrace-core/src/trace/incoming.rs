//! The trace that came in with a request, message or environment.

use std::fmt;

use sentrace_protocol::{Carrier, SpanId, TraceId};

use super::process_trace::ProcessTrace;
use super::recycle;
use super::state::{OwnTrace, SharedTrace};
use crate::diagnostics::{DebugScope, any_debug};
use crate::propagation::continuation_rules::ContinuationRules;
use crate::propagation::extract::{self, SentryTraceRead};
use crate::propagation::ids;
use crate::propagation::recent::RecentHeaders;
use crate::util::clock::FastInstant;
use crate::util::fork;

/// The trace read from a carrier, or a new trace if the carrier had none that can be continued.
pub struct IncomingTrace {
    /// Taken out when the trace is opened.
    trace: Option<OwnTrace>,
}

impl fmt::Debug for IncomingTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("IncomingTrace");
        if let Some(trace) = &self.trace {
            shown.field("trace_id", &trace.trace_id);
            shown.field("parent_span_id", &trace.parent_span_id);
            shown.field("sampled", &trace.sampled);
        }
        shown.finish_non_exhaustive()
    }
}

impl Drop for IncomingTrace {
    fn drop(&mut self) {
        if let Some(trace) = self.trace.take() {
            recycle::give_back(trace);
        }
    }
}

impl IncomingTrace {
    /// Starts a new trace, because nothing came in or what came in is not trusted.
    pub fn new_trace() -> Self {
        Self::beginning(recycle::take())
    }

    fn beginning(mut trace: OwnTrace) -> Self {
        fork::check(FastInstant::now());
        trace.trace_id = ids::trace_id();
        trace.live_mut().baggage.clear();
        Self::of(trace)
    }

    /// Also remembers the headers that `other` received.
    pub(crate) fn with_received_of(mut self, other: &Self) -> Self {
        if let (Some(trace), Some(other)) = (&mut self.trace, &other.trace) {
            trace.inherit_received(other);
        }
        self
    }

    /// Returns the caller's trace and span, if there is a caller.
    pub(crate) fn caller(&self) -> Option<(TraceId, SpanId)> {
        self.trace.as_ref()?.caller()
    }

    /// Reads a carrier. Values that cannot be used are treated as absent.
    pub(crate) fn read(rules: &ContinuationRules, carrier: &(impl Carrier + ?Sized)) -> Self {
        let _on_behalf = any_debug().then(|| DebugScope::of(rules.debug));
        let mut trace = recycle::take();
        let baggage = &mut trace.live_mut().baggage;
        let SentryTraceRead { value: from_sentry, is_present, differ } =
            extract::sentry_trace(carrier, baggage);
        let from_w3c = || if rules.reads_traceparent { extract::traceparent(carrier) } else { None };
        let Some(parent) = from_sentry.or_else(from_w3c) else {
            if is_present {
                trace.received.remember(carrier, true);
            } else {
                trace.received.remember_traceparent(carrier);
            }
            return Self::beginning(trace);
        };
        baggage.received(parent.trace_id, parent.sampled);
        if rules.ask_for_organisation() {
            let allowed = baggage.with_member(parent.trace_id, "org_id", |theirs| {
                let mut theirs = theirs.filter(|org_id| !org_id.is_empty());
                let mut allowed = rules.allow(theirs);
                // The context of another trace says nothing about this one. Finding out takes
                // another search.
                if theirs.is_some()
                    && (!allowed || rules.strict)
                    && baggage.is_of_another_trace(parent.trace_id)
                {
                    theirs = None;
                    allowed = rules.allow(theirs);
                }
                if !allowed {
                    rules.explain_refusal(parent.trace_id, theirs);
                }
                allowed
            });
            if !allowed {
                trace.received.remember(carrier, true);
                return Self::beginning(trace);
            }
        }
        if from_sentry.is_none() {
            // A caller that sends `traceparent` alone does not know Sentry, so this service starts
            // the context.
            baggage.reopen_if_empty(parent.trace_id);
        }
        // Remembered if the caller's ids do not represent everything that was received.
        if differ || (is_present && from_sentry.is_none()) {
            trace.received.remember(carrier, false);
        } else if rules.propagates_traceparent {
            trace.received.remember_traceparent(carrier);
        }
        trace.trace_id = parent.trace_id;
        trace.parent_span_id = Some(parent.span_id);
        trace.sampled = parent.sampled;
        Self::of(trace)
    }

    /// Starts a new trace, and only remembers the headers in `carrier`.
    pub(crate) fn rejected(carrier: &(impl Carrier + ?Sized)) -> Self {
        let mut trace = recycle::take();
        trace.received.remember(carrier, true);
        Self::beginning(trace)
    }

    /// Makes rejected headers known to tasks that are spawned without a context, too.
    pub(crate) fn remember_rejected(&self, recent: &RecentHeaders) {
        if let Some(trace) = &self.trace
            && trace.received.is_rejected()
        {
            trace.received.values().iter().for_each(|value| recent.remember(*value));
        }
    }

    /// Converts into the process's trace, which a client keeps.
    pub(crate) fn into_process_trace(self) -> ProcessTrace {
        let mut trace = self.into_trace();
        ProcessTrace {
            trace_id: trace.trace_id,
            span_id: trace.propagated_span_id(),
            parent_span_id: trace.parent_span_id,
            sampled: trace.sampled,
            baggage: std::mem::take(&mut trace.live_mut().baggage),
        }
    }

    /// Returns what a transaction that starts below a span of this process continues.
    pub(crate) fn below(trace: &SharedTrace, span_id: SpanId) -> Self {
        if trace.recording.is_passthrough() {
            return Self::within(trace);
        }
        let mut below = recycle::take();
        below.trace_id = trace.trace_id;
        below.parent_span_id = Some(span_id);
        below.sampled = trace.sampled;
        below.inherit_received(trace);
        trace.copy_frozen_baggage(&mut below.live_mut().baggage);
        below.live_mut().scope.clone_from(&trace.live().scope);
        Self::of(below)
    }

    /// Returns what a transaction in a trace without a span of its own continues: the incoming
    /// context, unchanged.
    pub(crate) fn within(trace: &SharedTrace) -> Self {
        let live = trace.live();
        let mut within = recycle::take();
        within.trace_id = trace.trace_id;
        within.parent_span_id = trace.parent_span_id;
        // Without a caller, there is no decision that a transaction has to follow.
        within.sampled = trace.parent_span_id.and(trace.sampled);
        within.head = (!live.baggage.is_frozen()).then(|| SharedTrace::clone(trace));
        within.received.clone_from(&trace.received);
        within.live_mut().baggage.copy_from(&live.baggage);
        within.live_mut().scope.clone_from(&live.scope);
        Self::of(within)
    }

    /// Also remembers the headers that the request of `outer` received, since it is still being
    /// served.
    pub(crate) fn during(mut self, outer: &SharedTrace) -> Self {
        if let Some(trace) = &mut self.trace {
            trace.inherit_received(outer);
        }
        self
    }

    fn of(trace: OwnTrace) -> Self {
        Self { trace: Some(trace) }
    }

    pub(crate) fn into_trace(mut self) -> OwnTrace {
        self.trace.take().unwrap_or_else(recycle::take)
    }
}
