//! Links between spans.

use sentrace_protocol::{SpanId, TraceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A link from a span to another one, often in another trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpanLink {
    /// `trace_id` of the linked span.
    pub trace_id: TraceId,
    /// `span_id` of the linked span.
    pub span_id: SpanId,
    /// `sampled`; `None` if it is missing.
    pub sampled: Option<bool>,
    /// `attributes`, without their types.
    pub attributes: Map<String, Value>,
}

impl SpanLink {
    /// Returns what the link means: its `sentry.link.type`.
    pub fn link_type(&self) -> Option<&str> {
        self.attributes.get("sentry.link.type").and_then(Value::as_str)
    }
}
