//! The spans below a transaction, and the span that a transaction is itself.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Data, Tags, Timestamp, cow_into_owned};
use crate::payload::link::{self, PlainLinks, SpanLink};
use crate::{SpanId, SpanStatus, TraceId};

/// The span that a transaction is itself, for `contexts.trace`. Sentry drops a transaction without it.
///
/// Sentry SDK specification, *Contexts Interface*, trace.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TraceContext<'a> {
    /// The trace that the transaction belongs to.
    pub trace_id: TraceId,
    /// The transaction's own span.
    pub span_id: SpanId,
    /// The caller's span, often in another service.
    pub parent_span_id: Option<SpanId>,
    /// What kind of work it is, such as `http.server`.
    pub op: Cow<'a, str>,
    /// How it ended.
    pub status: Option<SpanStatus>,
    /// What made it: `manual`, or `auto` with the integration, such as `auto.http.tower`.
    pub origin: Cow<'a, str>,
    /// What it says about itself.
    pub data: Data<'a>,
    /// Links to other spans.
    pub links: Vec<SpanLink<'a>>,
}

impl<'a> TraceContext<'a> {
    /// Creates the context of a span without a caller, made by hand.
    pub fn new(trace_id: TraceId, span_id: SpanId, op: impl Into<Cow<'a, str>>) -> Self {
        Self {
            trace_id,
            span_id,
            parent_span_id: None,
            op: op.into(),
            status: None,
            origin: Cow::Borrowed("manual"),
            data: Data::new(),
            links: Vec::new(),
        }
    }

    /// The same context, borrowing from nothing.
    pub fn into_owned(self) -> TraceContext<'static> {
        TraceContext {
            trace_id: self.trace_id,
            span_id: self.span_id,
            parent_span_id: self.parent_span_id,
            op: cow_into_owned(self.op),
            status: self.status,
            origin: cow_into_owned(self.origin),
            data: self.data.into_owned(),
            links: link::into_owned(self.links),
        }
    }
}

impl Serialize for TraceContext<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("trace_id", &self.trace_id)?;
        map.serialize_entry("span_id", &self.span_id)?;
        if let Some(parent) = &self.parent_span_id {
            map.serialize_entry("parent_span_id", parent)?;
        }
        map.serialize_entry("op", &self.op)?;
        if let Some(status) = &self.status {
            map.serialize_entry("status", status)?;
        }
        map.serialize_entry("origin", &self.origin)?;
        if !self.data.is_empty() {
            map.serialize_entry("data", &self.data)?;
        }
        if !self.links.is_empty() {
            map.serialize_entry("links", &PlainLinks(&self.links))?;
        }
        map.end()
    }
}

/// One span below a transaction.
///
/// Sentry SDK specification, *Event Payloads*, span.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TransactionSpan<'a> {
    /// Its id.
    pub span_id: SpanId,
    /// The span it is part of, within the same trace.
    pub parent_span_id: Option<SpanId>,
    /// What kind of work it is, such as `http.client`.
    pub op: Cow<'a, str>,
    /// What it does in particular: `GET https://api.example.com/pay`.
    pub description: Option<Cow<'a, str>>,
    /// How it ended.
    pub status: Option<SpanStatus>,
    /// What made it: `manual`, or `auto` with the integration, such as `auto.http.reqwest`.
    pub origin: Cow<'a, str>,
    /// When it started.
    pub start_timestamp: Timestamp,
    /// When it ended. An earlier moment than the start is written as the start.
    pub timestamp: Timestamp,
    /// Short texts to search by.
    pub tags: Tags<'a>,
    /// What it says about itself.
    pub data: Data<'a>,
    /// Links to other spans.
    pub links: Vec<SpanLink<'a>>,
}

impl<'a> TransactionSpan<'a> {
    /// Creates a span made by hand that started and ended at the beginning of 1970. All else is set on its fields.
    pub fn new(span_id: SpanId, op: impl Into<Cow<'a, str>>) -> Self {
        Self {
            span_id,
            parent_span_id: None,
            op: op.into(),
            description: None,
            status: None,
            origin: Cow::Borrowed("manual"),
            start_timestamp: Timestamp::default(),
            timestamp: Timestamp::default(),
            tags: Tags::new(),
            data: Data::new(),
            links: Vec::new(),
        }
    }

    /// The same span, borrowing from nothing.
    pub fn into_owned(self) -> TransactionSpan<'static> {
        TransactionSpan {
            span_id: self.span_id,
            parent_span_id: self.parent_span_id,
            op: cow_into_owned(self.op),
            description: self.description.map(cow_into_owned),
            status: self.status,
            origin: cow_into_owned(self.origin),
            start_timestamp: self.start_timestamp,
            timestamp: self.timestamp,
            tags: self.tags.into_owned(),
            data: self.data.into_owned(),
            links: link::into_owned(self.links),
        }
    }
}

/// All spans of a transaction. Each must name its trace, which is the transaction's.
pub(super) struct Spans<'s, 'a> {
    pub(super) trace_id: TraceId,
    pub(super) spans: &'s [TransactionSpan<'a>],
}

impl Serialize for Spans<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.spans.iter().map(|span| SpanOfTrace { trace_id: self.trace_id, span }))
    }
}

pub(super) struct SpanOfTrace<'s, 'a> {
    pub(super) trace_id: TraceId,
    pub(super) span: &'s TransactionSpan<'a>,
}

impl Serialize for SpanOfTrace<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let span = self.span;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("trace_id", &self.trace_id)?;
        map.serialize_entry("span_id", &span.span_id)?;
        if let Some(parent) = &span.parent_span_id {
            map.serialize_entry("parent_span_id", parent)?;
        }
        map.serialize_entry("op", &span.op)?;
        if let Some(description) = &span.description {
            map.serialize_entry("description", description)?;
        }
        if let Some(status) = &span.status {
            map.serialize_entry("status", status)?;
        }
        map.serialize_entry("origin", &span.origin)?;
        map.serialize_entry("start_timestamp", &span.start_timestamp)?;
        map.serialize_entry("timestamp", &span.timestamp.max(span.start_timestamp))?;
        if !span.tags.is_empty() {
            map.serialize_entry("tags", &span.tags)?;
        }
        if !span.data.is_empty() {
            map.serialize_entry("data", &span.data)?;
        }
        if !span.links.is_empty() {
            map.serialize_entry("links", &PlainLinks(&span.links))?;
        }
        map.end()
    }
}
