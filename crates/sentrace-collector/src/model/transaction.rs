//! A transaction and its spans, as sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use sentrace_protocol::{EventId, SpanId, TraceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Payload, Problem, SpanLink};

/// A transaction with its envelope.
///
/// Fields follow the Sentry SDK specification, *Event Payloads*. Anything without a field here is
/// in [`payload`](Transaction::payload).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transaction {
    /// The project it was sent to.
    pub project: String,
    /// The event id, from the envelope header if present, otherwise from the payload. A streamed
    /// transaction has none.
    pub event_id: Option<EventId>,
    /// Whether this is not an event but the segment span of streamed spans. The fields below are
    /// then taken from the span's attributes (Sentry SDK specification, *Spans* 1.0).
    pub streamed: bool,
    /// Whether only spans of this transaction have been received, but not the transaction itself.
    /// Everything known about it is then taken from these.
    pub open: bool,
    /// `contexts.trace.trace_id`.
    pub trace_id: TraceId,
    /// `contexts.trace.span_id`.
    pub span_id: SpanId,
    /// `contexts.trace.parent_span_id`: the caller's span, usually in another service.
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
    /// Links to other spans.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<SpanLink>,
    /// `start_timestamp`, in seconds since the Unix epoch.
    pub start: f64,
    /// `timestamp`, in seconds since the Unix epoch.
    pub end: f64,
    /// `tags`, sent as an object or as an array of pairs.
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
    /// `spans`: the child spans, in the order in which they were sent.
    pub spans: Vec<Span>,
    /// The dynamic sampling context: the envelope header `trace`.
    pub dsc: Option<Arc<Map<String, Value>>>,
    /// All envelope headers, including `trace`. Transactions from the same envelope share them.
    pub envelope: Arc<Map<String, Value>>,
    /// The whole payload, as received.
    pub payload: Payload,
    /// The rules it breaks.
    pub problems: Vec<Problem>,
    /// When it was received, in seconds since the Unix epoch.
    pub received_at: f64,
    /// How often it was received. Only one copy is kept.
    pub copies: u32,
}

/// A span below a transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Span {
    /// `span_id`.
    pub span_id: SpanId,
    /// `parent_span_id`. If absent, the parent is the transaction.
    pub parent_span_id: Option<SpanId>,
    /// `op`.
    pub op: Option<String>,
    /// `description`, or the `name` of a streamed span.
    pub description: Option<String>,
    /// `status`, or the more precise `sentry.status.message` of a streamed span.
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
    /// Links to other spans.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<SpanLink>,
}
