//! Transactions for unit tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use sentrace_protocol::{EventId, SpanId, TraceId};
use serde_json::Map;

use crate::assemble::assemble;
use crate::doctor::{self, Checkup};
use crate::model::{Payload, Remark, Span, Trace, Transaction};

/// The start of all fixture traces: 2026-08-20 10:00:00 UTC.
pub(crate) const START: f64 = 1_787_220_000.0;

pub(crate) fn trace_id() -> TraceId {
    TraceId::from_bytes([0x0a; 16]).expect("not zero")
}

pub(crate) fn id(number: u8) -> SpanId {
    SpanId::from_bytes([0, 0, 0, 0, 0, 0, 1, number]).expect("not zero")
}

/// A transaction of the service `name` whose span id is `number`, from 0 ms to 100 ms.
pub(crate) fn transaction(service: &str, number: u8) -> Transaction {
    let mut event_id = [number; 16];
    event_id[0] = 1;
    Transaction {
        project: "1".into(),
        event_id: EventId::from_bytes(event_id),
        streamed: false,
        open: false,
        trace_id: trace_id(),
        span_id: id(number),
        parent_span_id: None,
        name: format!("GET /{service}"),
        source: Some("route".into()),
        op: Some("http.server".into()),
        status: Some("ok".into()),
        origin: Some("auto.http.tower".into()),
        data: Map::new(),
        links: Vec::new(),
        start: START,
        end: START + 0.1,
        tags: BTreeMap::new(),
        request: None,
        response: None,
        release: Some(format!("{service}@1.0.0")),
        environment: Some("test".into()),
        server_name: None,
        platform: Some("rust".into()),
        spans: Vec::new(),
        dsc: None,
        envelope: Arc::default(),
        payload: Payload::default(),
        problems: Vec::new(),
        received_at: START + 1.0,
        copies: 1,
    }
}

impl Transaction {
    pub(crate) fn below(mut self, parent: u8) -> Self {
        self.parent_span_id = Some(id(parent));
        self
    }

    pub(crate) fn at(mut self, start_ms: f64, duration_ms: f64) -> Self {
        self.start = START + start_ms / 1e3;
        self.end = self.start + duration_ms / 1e3;
        self
    }

    pub(crate) fn op(mut self, op: &str) -> Self {
        self.op = Some(op.into());
        self
    }

    pub(crate) fn status(mut self, status: &str) -> Self {
        self.status = Some(status.into());
        self
    }

    pub(crate) fn with(mut self, span: Span) -> Self {
        self.spans.push(span);
        self
    }
}

/// A child span from 10 ms to 90 ms.
pub(crate) fn span(op: &str, number: u8) -> Span {
    Span {
        span_id: id(number),
        parent_span_id: None,
        op: Some(op.into()),
        description: Some(format!("span {number}")),
        status: Some("ok".into()),
        origin: None,
        start: START + 0.01,
        end: START + 0.09,
        tags: BTreeMap::new(),
        data: Map::new(),
        links: Vec::new(),
    }
}

impl Span {
    pub(crate) fn below(mut self, parent: u8) -> Self {
        self.parent_span_id = Some(id(parent));
        self
    }

    pub(crate) fn at(mut self, start_ms: f64, duration_ms: f64) -> Self {
        self.start = START + start_ms / 1e3;
        self.end = self.start + duration_ms / 1e3;
        self
    }
}

/// Returns the doctor's remarks about a single trace.
pub(crate) fn remarks(trace: &Trace) -> Vec<Remark> {
    doctor::examine(std::iter::once(&Checkup::of(trace)))
}

pub(crate) fn assembled(transactions: Vec<Transaction>) -> Trace {
    let transactions: Vec<_> = transactions.into_iter().map(Arc::new).collect();
    assemble(trace_id(), &transactions, 0)
}
