//! Spans: a handle that can be cloned, and an owner that ends the span.

use crate::decide::explain::report_started_by_hook;
use crate::decide::ignore::StartAttributes;
use crate::trace::incoming::IncomingTrace;
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use sentrace_protocol::losses::{Category, Reason};
use sentrace_protocol::{SentryTrace, SpanId, SpanStatus, TraceId};

use crate::decide::recording::Recording;
use crate::diagnostics::{is_debug_enabled, with_debug_mode};
use crate::propagation::trace_headers::TraceHeaders;
use crate::record::{Record, Slot, SpanRecord, Text, acceptable_tag};
use crate::trace::explain;
use crate::trace::start_span::NotStarted;
use crate::trace::state::SharedTrace;
use crate::util::hook;
use crate::values::{IntoData, IntoTag};

/// A handle to a span, to a transaction's own span, or to a trace without a transaction. Cheap to
/// clone.
///
/// All methods can be called on any handle, also after the span has ended or if nothing is
/// recorded. Then they do nothing.
#[derive(Clone, Default)]
pub struct SpanRef(Option<Handle>);

#[derive(Clone)]
struct Handle {
    trace: SharedTrace,
    span_id: SpanId,
    /// Where the span is recorded, if it is.
    slot: Option<Slot>,
}

impl SpanRef {
    /// Returns a handle that refers to no trace.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Returns a handle to the transaction's own span, or to the trace itself.
    pub(crate) fn root(trace: SharedTrace) -> Self {
        let slot = (trace.recording == Recording::Sampled).then_some(Slot::ROOT);
        Self(Some(Handle { span_id: trace.span_id, trace, slot }))
    }

    /// Returns `true` if this handle refers to no trace, because nothing was current or no client
    /// is initialized.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Returns `true` if data set here will be sent: the transaction is sampled and has not ended.
    pub fn is_recording(&self) -> bool {
        self.with_record(|_, _| ()).is_some()
    }

    /// Returns `true` if a span started below this one now would be recorded. This span need not be
    /// recording itself.
    pub fn records_children(&self) -> bool {
        self.0.as_ref().is_some_and(|handle| {
            let trace = &handle.trace;
            trace.recording == Recording::Sampled && (trace.pipeline.streams || trace.live().record.is_some())
        })
    }

    /// Returns the trace id.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.0.as_ref().map(|handle| handle.trace.trace_id)
    }

    /// Returns the span id that outgoing calls name as their parent.
    pub fn span_id(&self) -> Option<SpanId> {
        self.0.as_ref().map(|handle| handle.span_id)
    }

    /// Returns the sampling decision that is propagated, or `None` if tracing is off and no caller
    /// has decided.
    pub fn sampled(&self) -> Option<bool> {
        self.0.as_ref().and_then(|handle| handle.trace.sampled)
    }

    /// Returns `true` if the transaction starts its trace: it has no caller and no transaction
    /// above it.
    pub fn begins_trace(&self) -> bool {
        self.trace().is_some_and(|trace| trace.parent_span_id.is_none())
    }

    /// Starts a span below this one. The span is not made current; use [`scope`](Self::scope),
    /// [`enter`](Self::enter) or [`in_span`](crate::in_span) for that.
    ///
    /// `op` is the kind of work (`db.query`, `task`) and should have few distinct values.
    /// `description` describes this particular span. A transaction has at most 1,000 spans, or
    /// 10,000 open ones if spans are streamed ([`TraceLifecycle`](crate::TraceLifecycle)); further
    /// ones are counted as lost.
    pub fn start_span(&self, op: impl Into<Cow<'static, str>>, description: impl AsRef<str>) -> Span {
        Span(self.start_child(op.into(), description.as_ref()))
    }

    pub(crate) fn start_child(&self, op: Cow<'static, str>, description: &str) -> Self {
        self.start_child_with(op, description, None, |_, _| ())
    }

    /// Starts a span below this one. If it is recorded, `describe` adds to it under the same lock;
    /// it must not run user code, which might call this crate again.
    #[inline]
    pub(crate) fn start_child_with(
        &self,
        op: Cow<'static, str>,
        description: &str,
        known: Option<StartAttributes<'_>>,
        describe: impl FnOnce(&mut Record, Slot),
    ) -> Self {
        let Some(parent) = &self.0 else {
            if is_debug_enabled() {
                explain::report_orphan(&op, description);
            }
            return Self::none();
        };
        let trace = &parent.trace;
        let lost = match trace.recording {
            Recording::NotTraced => return self.unrecorded(),
            _ if hook::in_hook() => return self.rejected_in_hook(),
            Recording::Unsampled(reason) => reason,
            Recording::Sampled => {
                let mut live = trace.live();
                let started = match &mut live.record {
                    Some(record) if record.child_spans() < trace.pipeline.fast_path_spans => {
                        let started = record.start_span(parent.span_id, op, description);
                        if let Some((_, slot)) = started {
                            describe(record, slot);
                        }
                        started.ok_or(NotStarted { reason: Reason::BufferOverflow, op: Cow::Borrowed("") })
                    }
                    _ => {
                        let started =
                            trace.start_span_checked(&mut live, parent.span_id, op, description, known);
                        if let Ok((span_id, slot)) = started
                            && let Some((record, slot)) = live.record_of(slot, span_id)
                        {
                            describe(record, slot);
                        }
                        started
                    }
                };
                match started {
                    Ok((span_id, slot)) => {
                        return Self(Some(Handle {
                            trace: SharedTrace::clone(trace),
                            span_id,
                            slot: Some(slot),
                        }));
                    }
                    Err(NotStarted { reason, op }) => {
                        drop(live);
                        if trace.pipeline.debug {
                            let most = trace.pipeline.max_spans;
                            with_debug_mode(true, || {
                                explain::report_unrecorded(&op, description, reason, most);
                            });
                        }
                        reason
                    }
                }
            }
        };
        trace.pipeline.losses.record(lost, Category::Span, 1);
        self.unrecorded()
    }

    /// Spans started by a hook are neither recorded nor counted.
    #[cold]
    fn rejected_in_hook(&self) -> Self {
        let debug = self.trace().is_some_and(|trace| trace.pipeline.debug);
        with_debug_mode(debug, report_started_by_hook);
        self.unrecorded()
    }

    /// Returns `true` if rules or debug mode look at the description of spans that start below this
    /// one.
    pub(crate) fn filters_children(&self) -> bool {
        self.trace().is_some_and(|trace| {
            let pipeline = &trace.pipeline;
            trace.recording == Recording::Sampled
                && pipeline.fast_path_spans == 0
                && (pipeline.debug || !pipeline.streams)
        })
    }

    /// A handle for a span that is not recorded. It propagates the parent's id, so that callees
    /// find a parent that exists.
    fn unrecorded(&self) -> Self {
        Self(self.0.as_ref().map(|handle| Handle { slot: None, ..handle.clone() }))
    }

    /// Sets a value of the span's `data`: a number, boolean or string, or an `Option` of one.
    ///
    /// `None` sets nothing. The last value of a key wins.
    pub fn set_data<'v, Kind>(&self, key: impl Into<Cow<'static, str>>, value: impl IntoData<'v, Kind>) {
        if self.has_slot()
            && let Some(value) = value.into_data()
        {
            let key = key.into();
            self.with_record(|record, slot| record.set_data(slot, key, value));
        }
    }

    /// Sets a tag: a string, number or boolean, or an `Option` of one. `None` sets nothing. The
    /// last value of a key wins.
    ///
    /// Sentry accepts keys of at most 200 letters, digits and `_.:-`, and single-line values of at
    /// most 200 characters. Others are adjusted, with one warning: other characters of a key become
    /// `-`, line breaks become spaces, and long text is truncated. A blank key or value sets
    /// nothing.
    pub fn set_tag<Kind>(&self, key: impl Into<Cow<'static, str>>, value: impl IntoTag<Kind>) {
        if self.has_slot() {
            let key = key.into();
            value.with_tag(|value| {
                let Some((key, value)) = acceptable_tag(key, value) else { return };
                self.with_record(|record, slot| record.set_tag(slot, key, &value));
            });
        }
    }

    /// Sets the status.
    pub fn set_status(&self, status: SpanStatus) {
        self.with_span(|span| span.status = Some(status));
    }

    /// Leaves the status unset, unless one is set: otherwise a span that ends is `ok`.
    ///
    /// This is for work whose outcome is unknown. Streamed spans are `ok` even then, because they
    /// require a status.
    pub fn leave_status_unset(&self) {
        self.with_span(|span| span.status_unset = true);
    }

    /// Sets the status of a span that is dropped before its outcome was known.
    pub(crate) fn set_dropped_status(&self) {
        let panicked = std::thread::panicking();
        self.set_status(if panicked { SpanStatus::InternalError } else { SpanStatus::Cancelled });
    }

    /// Sets the kind of work.
    pub fn set_op(&self, op: impl Into<Cow<'static, str>>) {
        if self.has_slot() {
            let op = op.into();
            self.with_record(|record, slot| record.set_op(slot, op));
        }
    }

    /// Sets the description. A transaction has its name instead.
    pub fn set_description(&self, description: impl AsRef<str>) {
        if self.has_slot() {
            let description = description.as_ref();
            self.with_record(|record, slot| {
                record.set_description(slot, description);
                if let Some(span) = slot.of_mut(&mut record.spans) {
                    span.derives_name = false;
                }
            });
        }
    }

    /// Sets which code created the span, for example `auto.http.tower` (Sentry SDK specification,
    /// *Trace Origin*). The default is `manual`.
    pub fn set_origin(&self, origin: &'static str) {
        self.with_span(|span| span.origin = Text::Literal(origin));
    }

    /// Returns the value of `sentry-trace` for a call from this span.
    pub fn sentry_trace(&self) -> Option<SentryTrace> {
        self.0.as_ref().map(|handle| handle.trace.sentry_trace(handle.span_id))
    }

    /// Returns the value of `baggage` for a call from this span, and freezes the dynamic sampling
    /// context.
    ///
    /// Returns `None` if there is no trace, or if the caller sent `sentry-trace` alone.
    pub fn baggage(&self) -> Option<String> {
        let handle = self.0.as_ref()?;
        let baggage = handle.trace.with_frozen_baggage(str::to_owned);
        (!baggage.is_empty()).then_some(baggage)
    }

    /// Returns all trace headers for a call from this span.
    pub fn trace_headers(&self) -> Option<TraceHeaders> {
        let handle = self.0.as_ref()?;
        let sentry_trace = handle.trace.sentry_trace(handle.span_id);
        let traceparent = handle.trace.traceparent(handle.span_id);
        handle.trace.remember_propagated(handle.span_id);
        Some(TraceHeaders::new(sentry_trace, self.baggage(), traceparent))
    }

    /// Returns what a transaction that starts below this span continues.
    pub(crate) fn incoming_below(&self) -> Option<IncomingTrace> {
        self.0.as_ref().map(|handle| IncomingTrace::below(&handle.trace, handle.span_id))
    }

    /// Takes the trace out. Afterwards the handle refers to no trace.
    pub(crate) fn take_trace(&mut self) -> Option<SharedTrace> {
        self.0.take().map(|handle| handle.trace)
    }

    pub(crate) fn trace(&self) -> Option<&SharedTrace> {
        self.0.as_ref().map(|handle| &handle.trace)
    }

    /// Edits the record under its lock. `edit` must not run user code, which might call this crate
    /// again.
    pub(crate) fn with_record<R>(&self, edit: impl FnOnce(&mut Record, Slot) -> R) -> Option<R> {
        let handle = self.0.as_ref()?;
        let slot = handle.slot?;
        let mut live = handle.trace.live();
        let (record, slot) = live.record_of(slot, handle.span_id)?;
        Some(edit(record, slot))
    }

    fn with_span(&self, edit: impl FnOnce(&mut SpanRecord)) {
        self.with_record(|record, slot| slot.of_mut(&mut record.spans).map(edit));
    }

    fn has_slot(&self) -> bool {
        self.0.as_ref().is_some_and(|handle| handle.slot.is_some())
    }
}

impl fmt::Debug for SpanRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sentry_trace() {
            Some(sentry_trace) => f.debug_tuple("SpanRef").field(&format_args!("{sentry_trace}")).finish(),
            None => f.write_str("SpanRef(none)"),
        }
    }
}

/// A span that ends when it is dropped or [`finish`](Self::finish)ed.
///
/// ```
/// let span = sentrace_core::start_span("task", "apply discounts");
/// span.set_tag("plan", "gold");
/// span.finish();
/// ```
#[derive(Debug)]
#[must_use = "a span that is dropped at once measures nothing"]
pub struct Span(pub(crate) SpanRef);

impl Span {
    /// Ends the span. A span that is open when its transaction ends is dropped and counted as lost,
    /// unless spans are streamed ([`TraceLifecycle`](crate::TraceLifecycle)).
    pub fn finish(self) {}

    /// Ends the span after `complete` has added the last entries. `complete` must not run user
    /// code.
    pub(crate) fn finish_with(mut self, complete: impl FnOnce(&mut Record, Slot)) {
        self.end(complete);
        // One lock for both, and none for the drop.
        self.0 = SpanRef::none();
    }

    fn end(&self, complete: impl FnOnce(&mut Record, Slot)) {
        let Some(Handle { trace, span_id, slot: Some(slot) }) = &self.0.0 else { return };
        if *slot == Slot::OWN_RECORD {
            self.with_record(complete);
            crate::trace::finish::end_streamed_span(trace, *span_id);
        } else if let Some(record) = &mut trace.live().record {
            complete(record, *slot);
            record.end_span(*slot);
        }
    }
}

impl Deref for Span {
    type Target = SpanRef;

    fn deref(&self) -> &SpanRef {
        &self.0
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.end(|_, _| ());
    }
}
