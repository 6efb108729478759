//! The spans of a transaction where they are sent by themselves: each has a record of its own while it is open.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use sentrace_protocol::SpanId;
use sentrace_protocol::losses::Reason;

use crate::decide::ignore::Starting;
use crate::record::{Anchor, Record, Slot, pool};
use crate::trace::state::{Live, TraceState};
use crate::util::clock::Moment;

/// Spans of one transaction that may be open at the same time: what has ended takes no room here.
const MAX_OPEN_SPANS: usize = 10_000;

/// What a streamed transaction keeps besides its own record, longer than that: spans may outlive it.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    open: HashMap<SpanId, Box<Record>>,
    last_end: Option<Moment>,
    /// The transaction's last name, once it has ended.
    name: Option<Arc<str>>,
    discarded: Option<Reason>,
    /// One for all spans, so that their times agree even where the wall clock is corrected in between.
    anchor: Option<Anchor>,
}

impl Stream {
    pub(crate) fn open_span(&mut self, span_id: SpanId) -> Option<&mut Record> {
        self.open.get_mut(&span_id).map(|record| &mut **record)
    }

    pub(crate) fn has_open_span(&self, span_id: SpanId) -> bool {
        self.open.contains_key(&span_id)
    }

    /// Ends a span that is open, and takes it out.
    pub(crate) fn end_open(&mut self, span_id: SpanId) -> Option<Box<Record>> {
        let mut record = self.open.remove(&span_id)?;
        record.end_span(Slot::ROOT);
        self.last_end = record.spans.first().and_then(|span| span.end).max(self.last_end);
        Some(record)
    }

    pub(crate) fn take_all_open(&mut self) -> impl Iterator<Item = Box<Record>> + use<> {
        std::mem::take(&mut self.open).into_values()
    }

    pub(crate) fn has_open_spans(&self) -> bool {
        !self.open.is_empty()
    }

    /// When the last of those spans ended that have.
    pub(crate) fn last_end(&self) -> Option<Moment> {
        self.last_end
    }

    /// Notes what spans that come later need to know of their transaction.
    pub(crate) fn end(&mut self, transaction: &Record, discarded: Option<Reason>) {
        self.name = Some(transaction.name().into());
        self.discarded = discarded;
    }

    /// Why the spans of this transaction are not to be sent, once somebody has decided so.
    pub(crate) fn discarded(&self) -> Option<Reason> {
        self.discarded
    }

    pub(crate) fn anchor(&mut self) -> Anchor {
        *self.anchor.get_or_insert_with(Anchor::now)
    }
}

impl Live {
    /// The name that the transaction has by now.
    pub(crate) fn segment_name(&self) -> Arc<str> {
        let ended = self.stream.as_ref().and_then(|stream| stream.name.clone());
        ended.unwrap_or_else(|| self.record.as_ref().map_or_else(|| "".into(), |record| record.name().into()))
    }
}

/// A span that is not recorded, though its transaction is.
pub(crate) struct Unstarted {
    pub(crate) reason: Reason,
    pub(crate) op: Cow<'static, str>,
}

impl TraceState {
    /// Starts a span where more has to be looked at than in the plain case: rules, limits, streaming.
    #[cold]
    pub(crate) fn start_span_checked(
        &self,
        live: &mut Live,
        parent: SpanId,
        op: Cow<'static, str>,
        description: &str,
    ) -> Result<(SpanId, Slot), Unstarted> {
        let pipeline = &self.pipeline;
        if pipeline.ignores(&Starting::Child { op: &op, description }) {
            return Err(Unstarted { reason: Reason::Ignored, op });
        }
        let full = || Unstarted { reason: Reason::BufferOverflow, op: Cow::Borrowed("") };
        let Live { record, stream, .. } = live;
        match (stream, record) {
            (Some(stream), _) if stream.open.len() < MAX_OPEN_SPANS => {
                let mut record =
                    pool::take(crate::propagation::ids::event_id(), self.trace_id, pipeline.identity);
                let span_id = record.start_span(parent, op, description).ok_or_else(full)?.0;
                stream.open.insert(span_id, record);
                Ok((span_id, Slot::OWN_RECORD))
            }
            (None, Some(record)) if record.child_spans() < pipeline.max_spans => {
                record.start_span(parent, op, description).ok_or_else(full)
            }
            // The transaction has been sent: this span has nothing left to belong to.
            (None, None) => Err(Unstarted { reason: Reason::InsufficientData, op }),
            _ => Err(Unstarted { reason: Reason::BufferOverflow, op }),
        }
    }
}
