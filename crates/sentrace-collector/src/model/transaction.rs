//! One transaction and its spans, as sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use sentrace_protocol::{EventId, SpanId, TraceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Payload, Problem};

/// A transaction with its envelope.
///
/// Fields follow the Sentry SDK specification, *Event Payloads*; what has no field here is in
/// [`payload`](Transaction::payload).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// The project it was sent to.
    pub project: String,
    /// Of the envelope header, which wins over the payload. A streamed one has none.
    pub event_id: Option<EventId>,
    /// Whether it is no event, but the topmost of spans that came by themselves: then the paths below are those of the
    /// span's attributes (Sentry SDK specification, *Spans* 1.0).
    pub streamed: bool,
    /// Whether it has not come itself, only spans that belong to it: then all that is known is from these.
    pub open: bool,
    /// `contexts.trace.trace_id`.
    pub trace_id: TraceId,
    /// `contexts.trace.span_id`.
    pub span_id: SpanId,
    /// `contexts.trace.parent_span_id`: the caller's span, usually of another service.
    pub parent_span_id: Option<SpanId>,
    /// `transaction`.
    pub name: String,
    /// `transaction_info.source`.
    pub source: Option<String>,
    /// `contexts.trace.op`.
    pub op: Option<String>,
    /// `contexts.trace.status`.
    pub status: Option<String>,
    /// `contexts.trace.origin`.
    pub origin: Option<String>,
    /// `contexts.trace.data`.
    pub data: Map<String, Value>,
    /// `start_timestamp`, in seconds since the Unix epoch.
    pub start: f64,
    /// `timestamp`, in seconds since the Unix epoch.
    pub end: f64,
    /// `tags`; an array of pairs is read as well.
    pub tags: BTreeMap<String, String>,
    /// `request`.
    pub request: Option<Value>,
    /// `contexts.response`.
    pub response: Option<Value>,
    /// `release`.
    pub release: Option<String>,
    /// `environment`.
    pub environment: Option<String>,
    /// `server_name`.
    pub server_name: Option<String>,
    /// `platform`.
    pub platform: Option<String>,
    /// `spans`: the child spans, in the order they were sent.
    pub spans: Vec<Span>,
    /// The dynamic sampling context: the envelope header `trace`.
    pub dsc: Option<Arc<Map<String, Value>>>,
    /// All envelope headers, `trace` included. What came in one envelope shares them.
    pub envelope: Arc<Map<String, Value>>,
    /// The whole payload as it came.
    pub payload: Payload,
    /// What Sentry would not like about it.
    pub problems: Vec<Problem>,
    /// When it came, in seconds since the Unix epoch.
    pub received_at: f64,
    /// How often it came. It is kept once.
    pub copies: u32,
}

/// A span below a transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// `span_id`.
    pub span_id: SpanId,
    /// `parent_span_id`; absent means the transaction.
    pub parent_span_id: Option<SpanId>,
    /// `op`.
    pub op: Option<String>,
    /// `description`, or the `name` of a streamed span.
    pub description: Option<String>,
    /// `status`, or the better word that a streamed span has in its `sentry.status.message`.
    pub status: Option<String>,
    /// `origin`.
    pub origin: Option<String>,
    /// `start_timestamp`, in seconds since the Unix epoch.
    pub start: f64,
    /// `timestamp`, in seconds since the Unix epoch.
    pub end: f64,
    /// `tags`.
    pub tags: BTreeMap<String, String>,
    /// `data`, or the values of a streamed span's `attributes`.
    pub data: Map<String, Value>,
}
