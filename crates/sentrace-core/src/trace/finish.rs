//! The end of spans and transactions: the only place where records leave the recorder.

use sentrace_protocol::losses::{Category, Reason};
use sentrace_protocol::{SpanId, SpanStatus};
use unsize::{CoerceUnsize as _, Coercion};

use crate::decide::recording::Recording;
use crate::diagnostics::with_debug_mode;
use crate::record::{Record, Slot, pool};
use crate::trace::finished_span::{FinishedSpan, Segment};
use crate::trace::pipeline::Pipeline;
use crate::trace::recycle;
use crate::trace::state::{Live, SharedTrace, TraceState};
use crate::util::clock::FastInstant;

/// Ends a streamed span, which is handed over immediately.
pub(crate) fn end_streamed_span(trace: &SharedTrace, span_id: SpanId) {
    let record = {
        let mut live = trace.live();
        let ended = live.stream.as_mut().and_then(|stream| stream.end_open(span_id));
        let Some(mut record) = ended else { return };
        add_trace_scope(&live, &mut record);
        record
    };
    trace.pipeline.deliver_span(finished(record, trace));
}

/// Cancels the open streamed spans of a trace `at` that time, and hands them over.
pub(crate) fn cancel_streamed_spans(trace: &SharedTrace, at: FastInstant) {
    let open = trace.live().stream.as_mut().map(|stream| stream.take_all_open());
    for mut record in open.into_iter().flatten() {
        if let Some(span) = record.spans.first_mut() {
            span.end = Some(at.max(span.start));
            span.status.get_or_insert(SpanStatus::Cancelled);
        }
        add_trace_scope(&trace.live(), &mut record);
        trace.pipeline.deliver_span(finished(record, trace));
    }
}

/// Ends a transaction. If it is sampled, it is handed over after `complete` has added the last
/// entries; otherwise it is counted.
pub(crate) fn end_transaction(trace: SharedTrace, complete: impl FnOnce(&mut Record)) {
    match trace.recording {
        Recording::Sampled if trace.pipeline.streams => return end_segment(&trace, None, complete),
        // Its spans were counted one by one when they would have started.
        Recording::Unsampled(reason) => trace.pipeline.record_lost_transaction(reason, 0),
        Recording::Sampled | Recording::NotTraced => {}
    }
    match SharedTrace::try_unique(trace) {
        // There is no other handle: no lock is needed, and the memory can be reused.
        Ok(mut trace) => {
            end_alone(&mut trace, complete);
            recycle::give_back(trace);
        }
        Err(trace) => end_shared(&trace, complete),
    }
}

/// Ends a transaction that has no other handle.
fn end_alone(trace: &mut TraceState, complete: impl FnOnce(&mut Record)) {
    if trace.recording == Recording::Sampled {
        trace.freeze_own();
    }
    let live = trace.live_mut();
    let Some(mut record) = live.record.take() else { return };
    // The record's buffers are left for the next trace.
    std::mem::swap(&mut live.baggage, &mut record.baggage);
    add_trace_scope(live, &mut record);
    complete(&mut record);
    hand_over(&trace.pipeline, record);
}

/// Ends a transaction that other handles refer to: its spans, or the current span of a thread.
// Not inlined, which keeps the common path short.
#[inline(never)]
fn end_shared(trace: &TraceState, complete: impl FnOnce(&mut Record)) {
    let record = {
        let mut live = trace.live();
        let Some(mut record) = take(trace, &mut live) else { return };
        record.baggage.copy_from(&live.baggage);
        add_trace_scope(&live, &mut record);
        complete(&mut record);
        record
    };
    hand_over(&trace.pipeline, record);
}

fn hand_over(pipeline: &Pipeline, mut record: Box<Record>) {
    record.end_span(Slot::ROOT);
    apply_client(pipeline, &mut record);
    pipeline.counters.finished();
    let unfinished = record.unfinished_spans() as u64;
    if unfinished > 0 && pipeline.debug {
        with_debug_mode(true, || crate::trace::explain::report_unfinished(&record));
    }
    pipeline.losses.record(Reason::InsufficientData, Category::Span, unfinished);
    pipeline.deliver(record);
}

/// Ends a sampled transaction without sending it, and counts it and its spans as lost for `reason`.
/// Streamed spans that were already sent are not lost.
pub(crate) fn discard_transaction(trace: &SharedTrace, reason: Reason) {
    if trace.pipeline.streams {
        return end_segment(trace, Some(reason), |_| ());
    }
    let Some(record) = take(trace, &mut trace.live()) else { return };
    trace.pipeline.counters.finished();
    trace.pipeline.losses.record_transaction(reason, record.child_spans() as u64);
    pool::give_back(record);
}

/// Ends a streamed transaction: its own span is handed over, open spans follow when they end. If it
/// is discarded, the deliverer drops all of them.
// Not inlined, for the same reason as `end_shared`.
#[inline(never)]
fn end_segment(trace: &SharedTrace, discarded: Option<Reason>, complete: impl FnOnce(&mut Record)) {
    let record = {
        let mut live = trace.live();
        if live.record.is_none() {
            return;
        }
        // The context contains the name, which leaves with the record.
        trace.freeze(&mut live);
        let Live { record, stream, .. } = &mut *live;
        let Some(mut record) = record.take() else { return };
        complete(&mut record);
        record.end_span(Slot::ROOT);
        if let Some(stream) = stream {
            stream.end(&record, discarded);
        }
        add_trace_scope(&live, &mut record);
        record
    };
    trace.pipeline.counters.finished();
    trace.pipeline.deliver_span(finished(record, trace));
}

/// Takes the record out and freezes the context, which depends on it. Afterwards nothing can be
/// added, and ending the transaction again does nothing. Returns `None` if nothing was sampled.
fn take(trace: &TraceState, live: &mut Live) -> Option<Box<Record>> {
    live.record.as_ref()?;
    trace.freeze(live);
    live.record.take()
}

/// What the client adds to its spans and keeps back goes along with them.
#[inline]
fn apply_client(pipeline: &Pipeline, record: &mut Record) {
    if let Some(scope) = pipeline.scope.snapshot() {
        record.add_scope(scope);
    }
    if !pipeline.content.is_all() {
        record.set_content(pipeline.content);
    }
}

/// What was set for the whole trace goes along with what ends in it.
#[inline]
fn add_trace_scope(live: &Live, record: &mut Record) {
    if let Some(scope) = live.scope.as_ref().and_then(|scope| scope.snapshot()) {
        record.add_scope(scope);
    }
}

fn finished(mut record: Box<Record>, trace: &SharedTrace) -> FinishedSpan {
    apply_client(&trace.pipeline, &mut record);
    FinishedSpan::new(record, SharedTrace::clone(trace).unsize(Coercion!(to dyn Segment)))
}
