//! Reads spans that were sent by themselves, version 2 of the `span` item.
//!
//! Follows the Sentry SDK specification, *Spans* 1.0, and what it says Relay may refuse.

mod attributes;

use std::collections::{BTreeMap, HashSet};

use sentrace_protocol::envelope::RawItem;
use sentrace_protocol::{SpanId, TraceId};
use serde_json::{Map, Value};

use self::attributes::Attributes;
use super::fields::{Fields, kind};
use super::findings::{Findings, quoted};
use super::{dsc, terms};
use crate::model::{Span, Transaction};

/// Written out again on purpose, as the words in [`terms`].
const CONTENT_TYPE: &str = "application/vnd.sentry.items.span.v2+json";
const MAX_ITEMS: usize = 1_000;

/// What the envelope says about the spans it carries.
pub(super) struct Envelope<'a> {
    pub(super) project: &'a str,
    pub(super) headers: &'a Map<String, Value>,
    pub(super) received_at: f64,
}

/// Whether a `span` item is of this kind; older ones hold a single span of another shape.
pub(super) fn is_streamed(item: &RawItem<'_>) -> bool {
    item.headers.contains_key("item_count")
        || item.headers.get("content_type").and_then(Value::as_str) == Some(CONTENT_TYPE)
}

/// Reads one payload: the parts of each transaction that came. What is missing has been noted.
pub(super) fn read(
    header: &Map<String, Value>,
    payload: Value,
    path: &str,
    envelope: &Envelope<'_>,
    findings: &mut Findings,
) -> Vec<Transaction> {
    let Value::Object(object) = &payload else {
        findings.error(path, format!("{} is not an object; send `version` and `items`", kind(&payload)));
        return Vec::new();
    };
    let fields = Fields::new(object, path);
    let Some(Value::Array(items)) = fields.get("items") else {
        findings.error(fields.path("items"), "is missing or no array; send the spans there");
        return Vec::new();
    };
    check_item(header, fields, items.len(), findings);
    let mut parts: Vec<Transaction> = Vec::new();
    let mut trace: Option<TraceId> = None;
    let mut ids = HashSet::new();
    for (index, value) in items.iter().enumerate() {
        let path = fields.path(&format!("items[{index}]"));
        let Some(span) = read_span(value, &path, findings) else { continue };
        if *trace.get_or_insert(span.trace_id) != span.trace_id {
            let message = format!("{} is another trace than the first span's; send one trace", span.trace_id);
            findings.error(format_args!("{path}.trace_id"), message);
        }
        if !ids.insert(span.span.span_id) {
            let message = format!("{} is used twice in this item; ids are unique", span.span.span_id);
            findings.warning(format_args!("{path}.span_id"), message);
        }
        put(&mut parts, span, value, envelope);
    }
    let dsc = dsc::read(envelope.headers, trace, findings);
    for part in &mut parts {
        part.dsc.clone_from(&dsc);
    }
    parts
}

fn check_item(header: &Map<String, Value>, payload: Fields<'_>, count: usize, findings: &mut Findings) {
    let path = payload.path("item_count");
    match header.get("item_count").and_then(Value::as_u64) {
        Some(told) if told == count as u64 => {}
        Some(told) => findings.warning(path, format!("{told} is not the number of items, {count}")),
        None => findings.error(path, "is missing in the item's header; send the number of spans"),
    }
    let content_type = header.get("content_type").and_then(Value::as_str);
    if content_type != Some(CONTENT_TYPE) {
        let told = quoted(content_type.unwrap_or_default());
        findings.error(payload.path("content_type"), format!("{told} is not {CONTENT_TYPE}"));
    }
    match payload.get("version").map(Value::as_u64) {
        None | Some(Some(1 | 2)) => {}
        Some(_) => findings.warning(payload.path("version"), "is not 2"),
    }
    if count == 0 {
        findings.error(payload.path("items"), "is empty; send one span at least");
    } else if count > MAX_ITEMS {
        findings.error(payload.path("items"), format!("{count} spans; an item has at most {MAX_ITEMS}"));
    }
}

/// A span with what tells where it belongs.
struct Streamed {
    trace_id: TraceId,
    is_segment: bool,
    segment_id: SpanId,
    segment_name: Option<String>,
    source: Option<String>,
    release: Option<String>,
    environment: Option<String>,
    platform: Option<String>,
    span: Span,
}

fn read_span(value: &Value, path: &str, findings: &mut Findings) -> Option<Streamed> {
    let Value::Object(object) = value else {
        findings.error(path, format!("{} is not an object; send a span", kind(value)));
        return None;
    };
    let fields = Fields::new(object, path);
    let trace_id = fields.id("trace_id", findings);
    let span_id = fields.id("span_id", findings);
    let parent_span_id = fields.optional_id("parent_span_id", findings);
    let interval = fields.interval("end_timestamp", findings);
    let name = fields.string("name", findings).filter(|name| !name.trim().is_empty());
    if name.is_none() {
        findings.error(fields.path("name"), "is missing or empty; name the span");
    }
    let is_segment = fields.get("is_segment").and_then(Value::as_bool);
    if is_segment.is_none() {
        findings.warning(fields.path("is_segment"), "is not true or false; say whether it is a segment");
    }
    let is_segment = is_segment.unwrap_or(false);
    let status = fields.string("status", findings);
    if !matches!(status.as_deref(), Some("ok" | "error")) {
        let told = quoted(status.as_deref().unwrap_or_default());
        findings.warning(fields.path("status"), format!("{told} is neither ok nor error"));
    }
    let attributes = Attributes::read(fields, findings);
    attributes.check(is_segment, span_id, findings);
    let failed = status.as_deref() == Some("error");
    let better = attributes.text("sentry.status.message").filter(|word| failed && terms::is_status(word));
    let text = |key: &str| attributes.text(key).map(str::to_owned);
    let segment_id = attributes.text("sentry.segment.id").and_then(|id| SpanId::from_hex(id.as_bytes()));
    let (span_id, (start, end)) = (span_id?, interval?);
    Some(Streamed {
        trace_id: trace_id?,
        is_segment,
        // Without the attribute, a span counts to what it says is above it.
        segment_id: if is_segment { span_id } else { segment_id.or(parent_span_id).unwrap_or(span_id) },
        segment_name: text("sentry.segment.name"),
        source: text("sentry.segment.name.source"),
        release: text("sentry.release"),
        environment: text("sentry.environment"),
        platform: text("sentry.platform"),
        span: Span {
            span_id,
            parent_span_id,
            op: text("sentry.op"),
            description: Some(name?),
            status: better.map(str::to_owned).or(status),
            origin: text("sentry.origin"),
            start,
            end,
            tags: BTreeMap::new(),
            data: attributes.into_data(),
        },
    })
}

/// Puts a span to the transaction that it is or belongs to.
fn put(parts: &mut Vec<Transaction>, streamed: Streamed, payload: &Value, envelope: &Envelope<'_>) {
    let at = parts.iter().rposition(|part| part.span_id == streamed.segment_id).unwrap_or_else(|| {
        parts.push(begun(&streamed, envelope));
        parts.len() - 1
    });
    let Some(part) = parts.get_mut(at) else { return };
    let span = streamed.span;
    if !streamed.is_segment {
        if part.open {
            (part.start, part.end) = (part.start.min(span.start), part.end.max(span.end));
        }
        part.spans.push(span);
        return;
    }
    part.open = false;
    part.parent_span_id = span.parent_span_id;
    part.name = span.description.unwrap_or_default();
    part.source = streamed.source;
    (part.op, part.status, part.origin) = (span.op, span.status, span.origin);
    (part.start, part.end, part.data) = (span.start, span.end, span.data);
    part.payload = payload.clone();
}

/// A transaction of which nothing is known but that one of its spans has come.
fn begun(streamed: &Streamed, envelope: &Envelope<'_>) -> Transaction {
    Transaction {
        project: envelope.project.to_owned(),
        event_id: None,
        streamed: true,
        open: true,
        trace_id: streamed.trace_id,
        span_id: streamed.segment_id,
        parent_span_id: None,
        name: streamed.segment_name.clone().unwrap_or_else(|| "<unknown segment>".to_owned()),
        source: None,
        op: None,
        status: None,
        origin: None,
        data: Map::new(),
        start: streamed.span.start,
        end: streamed.span.end,
        tags: BTreeMap::new(),
        request: None,
        response: None,
        release: streamed.release.clone(),
        environment: streamed.environment.clone(),
        server_name: None,
        platform: streamed.platform.clone(),
        spans: Vec::new(),
        dsc: None,
        envelope: envelope.headers.clone(),
        payload: Value::Null,
        problems: Vec::new(),
        received_at: envelope.received_at,
        copies: 1,
    }
}

#[cfg(test)]
mod tests;
