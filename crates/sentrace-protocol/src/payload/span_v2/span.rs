//! One span.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::payload::attributes::Attributes;
use crate::payload::link::{self, SpanLink, TypedLinks};
use crate::{Data, SpanId, SpanStatus, Timestamp, TraceId};

/// One span that is sent by itself, borrowed from where it was recorded and written straight to JSON.
///
/// Sentry SDK specification, *Spans* 1.0, span object.
///
/// ```
/// use std::time::Duration;
/// use sentrace_protocol::span_v2::{StreamedSpan, keys};
/// use sentrace_protocol::{Data, SpanId, SpanStatus, Timestamp, TraceId};
///
/// let span_id = SpanId::from_hex(b"b7ad6b7169203331").unwrap();
/// let mut attributes = Data::new();
/// attributes.set(keys::SEGMENT_NAME, "GET /orders/{id}");
/// attributes.set(keys::SEGMENT_ID, span_id.to_string());
/// let trace_id = TraceId::from_hex(b"0af7651916cd43dd8448eb211c80319c").unwrap();
/// let mut span = StreamedSpan::new(trace_id, span_id, "GET /orders/{id}");
/// span.status = SpanStatus::NotFound;
/// span.is_segment = true;
/// span.start_timestamp = Timestamp(Duration::from_micros(1_787_220_000_104_233));
/// span.end_timestamp = Timestamp(Duration::from_micros(1_787_220_000_148_907));
/// span.attributes = attributes;
/// let json = serde_json::to_value(&span)?;
/// assert_eq!(json["status"], "error");
/// assert_eq!(json["attributes"]["sentry.segment.id"]["value"], "b7ad6b7169203331");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StreamedSpan<'a> {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// The span it is part of, for a segment often in another service.
    pub parent_span_id: Option<SpanId>,
    /// What it does: `GET /orders/{id}`. Few different ones are better than many.
    pub name: Cow<'a, str>,
    /// How it ended; written as `ok` or `error`.
    pub status: SpanStatus,
    /// Whether it is the topmost span of its trace in this service, as a transaction is.
    pub is_segment: bool,
    /// When it started.
    pub start_timestamp: Timestamp,
    /// When it ended. An earlier moment than the start is written as the start.
    pub end_timestamp: Timestamp,
    /// What it says about itself. Empty values are left out.
    pub attributes: Data<'a>,
    /// Links to other spans.
    pub links: Vec<SpanLink<'a>>,
}

impl<'a> StreamedSpan<'a> {
    /// Creates a span without a parent that started and ended at the beginning of 1970 and went well. All else is set on its
    /// fields.
    pub fn new(trace_id: TraceId, span_id: SpanId, name: impl Into<Cow<'a, str>>) -> Self {
        Self {
            trace_id,
            span_id,
            parent_span_id: None,
            name: name.into(),
            status: SpanStatus::Ok,
            is_segment: false,
            start_timestamp: Timestamp::default(),
            end_timestamp: Timestamp::default(),
            attributes: Data::new(),
            links: Vec::new(),
        }
    }

    /// The same span, borrowing from nothing.
    pub fn into_owned(self) -> StreamedSpan<'static> {
        StreamedSpan {
            trace_id: self.trace_id,
            span_id: self.span_id,
            parent_span_id: self.parent_span_id,
            name: Cow::Owned(self.name.into_owned()),
            status: self.status,
            is_segment: self.is_segment,
            start_timestamp: self.start_timestamp,
            end_timestamp: self.end_timestamp,
            attributes: self.attributes.into_owned(),
            links: link::into_owned(self.links),
        }
    }
}

impl Serialize for StreamedSpan<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("trace_id", &self.trace_id)?;
        map.serialize_entry("span_id", &self.span_id)?;
        if let Some(parent) = &self.parent_span_id {
            map.serialize_entry("parent_span_id", parent)?;
        }
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("status", if self.status.is_error() { "error" } else { "ok" })?;
        map.serialize_entry("is_segment", &self.is_segment)?;
        map.serialize_entry("start_timestamp", &self.start_timestamp)?;
        map.serialize_entry("end_timestamp", &self.end_timestamp.max(self.start_timestamp))?;
        let attributes = Attributes(&self.attributes);
        if !attributes.is_empty() {
            map.serialize_entry("attributes", &attributes)?;
        }
        if !self.links.is_empty() {
            map.serialize_entry("links", &TypedLinks(&self.links))?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::span_v2::keys;

    fn at(micros: u64) -> Timestamp {
        Timestamp(Duration::from_micros(1_787_220_000_000_000 + micros))
    }

    #[test]
    fn a_segment_has_the_shape_of_the_specification() {
        let mut attributes = Data::new();
        attributes.set(keys::SEGMENT_NAME, "GET /orders/{id}");
        attributes.set(keys::SEGMENT_ID, "b7ad6b7169203331");
        attributes.set("http.response.status_code", 200);
        attributes.set("http.request.header.accept", vec!["application/json"]);
        let span = StreamedSpan {
            trace_id: "0af7651916cd43dd8448eb211c80319c".parse().unwrap(),
            span_id: "b7ad6b7169203331".parse().unwrap(),
            parent_span_id: "00f067aa0ba902b7".parse().ok(),
            name: "GET /orders/{id}".into(),
            status: SpanStatus::Ok,
            is_segment: true,
            start_timestamp: at(104_233),
            end_timestamp: at(148_907),
            attributes,
            links: Vec::new(),
        };
        let expected = json!({
            "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
            "parent_span_id": "00f067aa0ba902b7", "name": "GET /orders/{id}", "status": "ok", "is_segment": true,
            "start_timestamp": 1_787_220_000.104_233, "end_timestamp": 1_787_220_000.148_907,
            "attributes": {
                "sentry.segment.name": {"type": "string", "value": "GET /orders/{id}"},
                "sentry.segment.id": {"type": "string", "value": "b7ad6b7169203331"},
                "http.response.status_code": {"type": "integer", "value": 200},
                "http.request.header.accept": {"type": "array", "value": ["application/json"]},
            },
        });
        assert_eq!(serde_json::to_value(&span).unwrap(), expected);
        assert_eq!(serde_json::to_value(span.into_owned()).unwrap(), expected);
    }

    #[test]
    fn what_is_absent_is_left_out_and_an_end_before_the_start_is_the_start() {
        let span = StreamedSpan {
            trace_id: "0af7651916cd43dd8448eb211c80319c".parse().unwrap(),
            span_id: "b7ad6b7169203331".parse().unwrap(),
            parent_span_id: None,
            name: "x".into(),
            status: SpanStatus::Cancelled,
            is_segment: false,
            start_timestamp: at(2_000_000),
            end_timestamp: at(1_000_000),
            attributes: [("empty", "")].into_iter().collect(),
            links: Vec::new(),
        };
        let expected = json!({
            "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331", "name": "x",
            "status": "error", "is_segment": false,
            "start_timestamp": 1_787_220_002.0, "end_timestamp": 1_787_220_002.0,
        });
        assert_eq!(serde_json::to_value(&span).unwrap(), expected);
    }
}
