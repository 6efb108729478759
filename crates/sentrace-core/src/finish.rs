//! The one way out of the recorder: spans and transactions that have ended.

use std::sync::Arc;
use std::time::Instant;

use sentrace_protocol::losses::{Category, Reason};
use sentrace_protocol::{SpanId, SpanStatus};

use crate::finished_span::FinishedSpan;
use crate::record::{Record, Slot};
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
pub(crate) fn end_transaction(trace: &Arc<TraceState>, complete: impl FnOnce(&mut Record)) {
    match trace.recording {
        Recording::Off => {}
        // Its spans were counted one by one, when they would have started.
        Recording::Unsampled(reason) => trace.pipeline.lose_transaction(reason, 0),
        Recording::Sampled if trace.pipeline.streams => end_segment(trace, None, complete),
        Recording::Sampled => {
            if let Some(record) = take(trace, complete) {
                let unfinished = record.unfinished_spans() as u64;
                trace.pipeline.losses.record(Reason::InsufficientData, Category::Span, unfinished);
                trace.pipeline.hand_over(record);
            }
        }
    }
}

/// Ends a sampled transaction without sending it; it and its spans are counted as lost for `reason`. Of streamed spans
/// those are lost that have not been sent by then.
pub(crate) fn discard_transaction(trace: &Arc<TraceState>, reason: Reason) {
    if trace.pipeline.streams {
        return end_segment(trace, Some(reason), |_| ());
    }
    let Some(record) = take(trace, |_| ()) else { return };
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

/// Takes the record out, complete: afterwards nothing can be added, and ending again does nothing.
fn take(trace: &Arc<TraceState>, complete: impl FnOnce(&mut Record)) -> Option<Box<Record>> {
    let mut live = trace.live();
    live.record.as_ref()?;
    trace.freeze(&mut live);
    let Live { baggage, record, .. } = &mut *live;
    let mut record = record.take()?;
    complete(&mut record);
    end_span(&mut record, Slot::ROOT);
    if Arc::strong_count(trace) == 1 {
        // Nobody is left who could ask the trace for it.
        baggage.move_to(&mut record.baggage);
    } else {
        record.baggage.copy_from(baggage);
    }
    trace.pipeline.counters.finished();
    Some(record)
}
