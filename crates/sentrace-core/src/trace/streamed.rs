//! Streamed spans of a transaction. Each has its own record while it is open.

use std::collections::HashMap;
use std::sync::Arc;

use sentrace_protocol::SpanId;
use sentrace_protocol::losses::Reason;

use crate::record::{Anchor, Record, Slot};
use crate::util::clock::FastInstant;

/// Spans of one transaction that may be open at the same time. Ended ones take no space here.
const MAX_OPEN_SPANS: usize = 10_000;

/// What a streamed transaction keeps besides its record, and longer, since spans may outlive it.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    open: HashMap<SpanId, Box<Record>>,
    last_end: Option<FastInstant>,
    /// The transaction's final name, once it has ended.
    name: Option<Arc<str>>,
    discarded: Option<Reason>,
    /// One anchor for all spans, so that their times agree even if the wall clock is adjusted.
    anchor: Option<Anchor>,
}

impl Stream {
    /// Returns `true` if one more span may be open.
    pub(crate) fn has_room(&self) -> bool {
        self.open.len() < MAX_OPEN_SPANS
    }

    pub(crate) fn open(&mut self, span_id: SpanId, record: Box<Record>) {
        self.open.insert(span_id, record);
    }

    /// Returns the transaction's final name, once it has ended.
    pub(crate) fn name(&self) -> Option<Arc<str>> {
        self.name.clone()
    }

    pub(crate) fn open_span(&mut self, span_id: SpanId) -> Option<&mut Record> {
        self.open.get_mut(&span_id).map(|record| &mut **record)
    }

    pub(crate) fn has_open_span(&self, span_id: SpanId) -> bool {
        self.open.contains_key(&span_id)
    }

    /// Ends an open span and takes it out.
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

    /// Returns when the last ended span ended.
    pub(crate) fn last_end(&self) -> Option<FastInstant> {
        self.last_end
    }

    /// Keeps what later spans need to know of their transaction.
    pub(crate) fn end(&mut self, transaction: &Record, discarded: Option<Reason>) {
        self.name = Some(transaction.streamed_name().into());
        self.discarded = discarded;
    }

    /// Returns why the spans of this transaction are not sent, if it was discarded.
    pub(crate) fn discarded(&self) -> Option<Reason> {
        self.discarded
    }

    pub(crate) fn anchor(&mut self) -> Anchor {
        *self.anchor.get_or_insert_with(Anchor::now)
    }
}
