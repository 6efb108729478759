//! Starts a span of a transaction, if it is to be recorded.

use std::borrow::Cow;

use sentrace_protocol::SpanId;
use sentrace_protocol::losses::Reason;

use super::state::{Live, TraceState};
use crate::decide::ignore::{NewSpan, StartAttributes};
use crate::propagation::ids;
use crate::record::{Slot, pool};

/// A span that is not recorded although its transaction is.
pub(crate) struct NotStarted {
    pub(crate) reason: Reason,
    pub(crate) op: Cow<'static, str>,
}

impl TraceState {
    /// Starts a span with all checks: rules, limits, streaming.
    #[cold]
    pub(crate) fn start_span_checked(
        &self,
        live: &mut Live,
        parent: SpanId,
        op: Cow<'static, str>,
        description: &str,
        known: Option<StartAttributes<'_>>,
    ) -> Result<(SpanId, Slot), NotStarted> {
        let pipeline = &self.pipeline;
        if pipeline.ignores(&NewSpan::Child { op: &op, description, known }) {
            return Err(NotStarted { reason: Reason::Ignored, op });
        }
        let full = || NotStarted { reason: Reason::BufferOverflow, op: Cow::Borrowed("") };
        let Live { record, stream, .. } = live;
        match (stream, record) {
            (Some(stream), _) if stream.has_room() => {
                let mut record = pool::take(ids::event_id(), self.trace_id, pipeline.identity);
                let span_id = record.start_span(parent, op, description).ok_or_else(full)?.0;
                record.set_thread();
                stream.open(span_id, record);
                Ok((span_id, Slot::OWN_RECORD))
            }
            (None, Some(record)) if record.child_spans() < pipeline.max_spans => {
                record.start_span(parent, op, description).ok_or_else(full)
            }
            // The transaction was already sent, so the span has no transaction to belong to.
            (None, None) => Err(NotStarted { reason: Reason::InsufficientData, op }),
            _ => Err(NotStarted { reason: Reason::BufferOverflow, op }),
        }
    }
}
