//! The one way out of the recorder: spans and transactions that have ended.

use std::time::Instant;

use sentrace_protocol::SpanStatus;
use sentrace_protocol::losses::{Category, Reason};

use crate::record::{Record, Slot, Text};
use crate::trace::{Live, Recording, TraceState};

/// Ends a span; it leaves with its transaction.
pub(crate) fn end_span(record: &mut Record, slot: Slot) {
    let Some(span) = slot.of_mut(&mut record.spans) else { return };
    if span.end.is_none() {
        span.end = Some(Instant::now());
        // Nobody got to say how it ended.
        if std::thread::panicking() {
            span.status.get_or_insert(SpanStatus::InternalError);
        }
    }
}

/// Ends a transaction: what was sampled is handed over, the rest is counted.
pub(crate) fn end_transaction(trace: &TraceState) {
    match trace.recording {
        Recording::Off => {}
        // Its spans were counted one by one, when they would have started.
        Recording::Unsampled => trace.pipeline.losses.record_transaction(Reason::SampleRate, 0),
        Recording::Sampled => {
            if let Some(record) = take(trace) {
                let unfinished = record.unfinished_spans() as u64;
                trace.pipeline.losses.record(Reason::InsufficientData, Category::Span, unfinished);
                trace.pipeline.hand_over(record);
            }
        }
    }
}

/// Ends a sampled transaction without sending it; it and its spans are counted as lost for `reason`.
pub(crate) fn discard_transaction(trace: &TraceState, reason: Reason) {
    let Some(record) = take(trace) else { return };
    trace.pipeline.losses.record_transaction(reason, record.child_spans() as u64);
    trace.pipeline.pool.give_back(record);
}

/// Takes the record out, complete: afterwards nothing can be added, and ending again does nothing.
fn take(trace: &TraceState) -> Option<Box<Record>> {
    let mut live = trace.live();
    live.record.as_ref()?;
    trace.freeze(&mut live);
    let Live { baggage, record, .. } = &mut *live;
    let mut record = record.take()?;
    end_span(&mut record, Slot::ROOT);
    record.baggage =
        if baggage.is_empty() { Text::EMPTY } else { record.arena.write(|buffer| buffer.push_str(baggage)) };
    Some(record)
}
