//! The one way out of the recorder: spans and transactions that have ended.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use sentrace_protocol::losses::{Category, Reason};
use sentrace_protocol::{SpanId, SpanStatus};

use crate::baggage::Baggage;
use crate::finished_span::FinishedSpan;
use crate::pipeline::{Pipeline, PipelineRef};
use crate::record::{Record, Slot};
use crate::spare;
use crate::trace::{Live, Recording, TraceState};

/// Ends a span; it leaves with its transaction.
pub(crate) fn end_span(record: &mut Record, slot: Slot) {
    let Some(span) = slot.of_mut(&mut record.spans) else { return };
    span.may_go_on = false;
    if span.end.is_none() {
        span.end = Some(Instant::now());
        // Nobody got to say how it ended.
        if std::thread::panicking() {
            span.status.get_or_insert(SpanStatus::InternalError);
        }
    }
}

/// Ends a span that is sent by itself: it leaves now.
pub(crate) fn end_streamed_span(trace: &Arc<TraceState>, span_id: SpanId) {
    let ended = trace.live().stream.as_mut().and_then(|stream| stream.end_open(span_id));
    let Some(record) = ended else { return };
    trace.pipeline.hand_over_span(FinishedSpan::new(record, Arc::clone(trace)));
}

/// Ends the spans that are open and sent by themselves: they leave now, as cancelled `at` that time.
pub(crate) fn cancel_streamed_spans(trace: &Arc<TraceState>, at: Instant) {
    let open = trace.live().stream.as_mut().map(|stream| stream.take_all_open());
    for mut record in open.into_iter().flatten() {
        if let Some(span) = record.spans.first_mut() {
            span.end = Some(at.max(span.start));
            span.status.get_or_insert(SpanStatus::Cancelled);
        }
        trace.pipeline.hand_over_span(FinishedSpan::new(record, Arc::clone(trace)));
    }
}

/// Ends a transaction: what was sampled is handed over after `complete` has added the last things, the rest is counted.
pub(crate) fn end_transaction(mut trace: Arc<TraceState>, complete: impl FnOnce(&mut Record)) {
    match trace.recording {
        Recording::Sampled if trace.pipeline.streams => return end_segment(&trace, None, complete),
        // Its spans were counted one by one, when they would have started.
        Recording::Unsampled(reason) => trace.pipeline.lose_transaction(reason, 0),
        Recording::Sampled | Recording::Off => {}
    }
    match Arc::get_mut(&mut trace) {
        // Nobody else can look at it any more: there is no lock to take, and its memory is free.
        Some(state) => {
            let baggage = end_alone(state, complete);
            spare::give_back(trace, baggage);
        }
        None => end_shared(&trace, complete),
    }
}

/// Leaves nothing of the trace but its memory; what its context used is for another one.
fn end_alone(trace: &mut TraceState, complete: impl FnOnce(&mut Record)) -> Baggage {
    let mut live = std::mem::take(trace.live.get_mut().unwrap_or_else(PoisonError::into_inner));
    if let Some(mut record) = take(trace, &mut live, complete) {
        live.baggage.move_to(&mut record.baggage);
        hand_over(&trace.pipeline, record);
    }
    trace.head = None;
    // A trace that is over must hold nobody's client open.
    trace.pipeline = PipelineRef::default();
    live.baggage
}

/// Ends a transaction that some of its spans outlive, or whom they are current for.
fn end_shared(trace: &TraceState, complete: impl FnOnce(&mut Record)) {
    let record = {
        let mut live = trace.live();
        let Some(mut record) = take(trace, &mut live, complete) else { return };
        record.baggage.copy_from(&live.baggage);
        record
    };
    hand_over(&trace.pipeline, record);
}

fn hand_over(pipeline: &Pipeline, record: Box<Record>) {
    let unfinished = record.unfinished_spans() as u64;
    pipeline.losses.record(Reason::InsufficientData, Category::Span, unfinished);
    pipeline.hand_over(record);
}

/// Ends a sampled transaction without sending it; it and its spans are counted as lost for `reason`. Of streamed spans
/// those are lost that have not been sent by then.
pub(crate) fn discard_transaction(trace: &Arc<TraceState>, reason: Reason) {
    if trace.pipeline.streams {
        return end_segment(trace, Some(reason), |_| ());
    }
    let Some(record) = take(trace, &mut trace.live(), |_| ()) else { return };
    trace.pipeline.losses.record_transaction(reason, record.child_spans() as u64);
    trace.pipeline.pool.give_back(record);
}

/// Ends a transaction whose spans are sent by themselves: its own span leaves, those that are open follow when they
/// end. Whoever delivers decides by `discarded`, once for all of them.
fn end_segment(trace: &Arc<TraceState>, discarded: Option<Reason>, complete: impl FnOnce(&mut Record)) {
    let record = {
        let mut live = trace.live();
        if live.record.is_none() {
            return;
        }
        // The context tells the name, which leaves with the record.
        trace.freeze(&mut live);
        let Live { record, stream, .. } = &mut *live;
        let Some(mut record) = record.take() else { return };
        complete(&mut record);
        end_span(&mut record, Slot::ROOT);
        if let Some(stream) = stream {
            stream.end(&record, discarded);
        }
        record
    };
    trace.pipeline.counters.finished();
    trace.pipeline.hand_over_span(FinishedSpan::new(record, Arc::clone(trace)));
}

/// Takes the record out, complete but for its context, which is frozen: afterwards nothing can be added, and ending again
/// does nothing. Of what was not sampled there is none.
fn take(trace: &TraceState, live: &mut Live, complete: impl FnOnce(&mut Record)) -> Option<Box<Record>> {
    live.record.as_ref()?;
    trace.freeze(live);
    let mut record = live.record.take()?;
    complete(&mut record);
    end_span(&mut record, Slot::ROOT);
    trace.pipeline.counters.finished();
    Some(record)
}
