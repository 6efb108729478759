//! Reads spans that were sent by themselves, version 2 of the `span` item.
//!
//! Follows the Sentry SDK specification, *Spans* 1.0, and what it says Relay may refuse.

mod attributes;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use sentrace_protocol::envelope::SplitItem;
use sentrace_protocol::{SpanId, TraceId};
use serde_json::{Map, Value};

use self::attributes::Attributes;
use super::bounded::{self, Budget, Elements};
use super::fields::{Fields, kind};
use super::findings::{Findings, quoted};
use super::{dsc, parsed, terms};
use crate::footprint;
use crate::model::{Payload, Span, Transaction};

/// Written out again on purpose, as the words in [`terms`].
const CONTENT_TYPE: &str = "application/vnd.sentry.items.span.v2+json";
const MAX_ITEMS: usize = 1_000;

/// What the envelope says about the spans it carries.
pub(super) struct Envelope<'a> {
    pub(super) project: &'a str,
    pub(super) headers: &'a Arc<Map<String, Value>>,
    pub(super) received_at: f64,
}

/// Whether a `span` item is of this kind; older ones hold a single span of another shape.
fn is_streamed(header: &Map<String, Value>) -> bool {
    header.contains_key("item_count")
        || header.get("content_type").and_then(Value::as_str) == Some(CONTENT_TYPE)
}

/// Reads one item: the parts of each transaction that came. What is missing has been noted.
#[expect(clippy::vec_box, reason = "a vector that grows would hold each twice")]
pub(super) fn read(
    item: &SplitItem<'_>,
    path: &str,
    envelope: &Envelope<'_>,
    budget: &mut Budget,
    findings: &mut Findings,
) -> Vec<Box<Transaction>> {
    let Some(header) = parsed(bounded::object(item.header, None, budget), path, findings) else {
        return Vec::new();
    };
    budget.release(footprint::of_map(&header));
    if !is_streamed(&header) {
        return Vec::new();
    }
    let Some(object) = parsed(bounded::object(item.payload, Some("items"), budget), path, findings) else {
        return Vec::new();
    };
    budget.release(footprint::of_map(&object));
    let fields = Fields::new(&object, path);
    let mut parts: Vec<Box<Transaction>> = Vec::new();
    let mut trace: Option<TraceId> = None;
    let mut ids = HashSet::new();
    let read = |index: usize, mut value: Value, budget: &mut Budget| {
        let path = fields.path(&format!("items[{index}]"));
        let Some(span) = read_span(&mut value, &path, findings) else { return };
        if *trace.get_or_insert(span.trace_id) != span.trace_id {
            let message = format!("{} is another trace than the first span's; send one trace", span.trace_id);
            findings.error(format_args!("{path}.trace_id"), message);
        }
        if !ids.insert(span.span.span_id) {
            let message = format!("{} is used twice in this item; ids are unique", span.span.span_id);
            findings.warning(format_args!("{path}.span_id"), message);
        }
        put(&mut parts, span, envelope, budget);
    };
    let elements = bounded::elements(item.payload, "items", MAX_ITEMS, budget, read);
    match parsed(elements, path, findings) {
        Some(Elements::Count(count)) => check_item(&header, fields, count, findings),
        Some(Elements::Missing | Elements::NotArray(_)) => {
            findings.error(fields.path("items"), "is missing or no array; send the spans there");
        }
        None => {}
    }
    let dsc = dsc::read(envelope.headers, trace, findings);
    let has_room = dsc.as_ref().is_none_or(|dsc| budget.charge(footprint::of_map(dsc)));
    for part in &mut parts {
        part.dsc = dsc.clone().filter(|_| has_room);
        part.spans.shrink_to_fit();
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
        let message =
            format!("{count} spans; an item has at most {MAX_ITEMS}, send the others in further items");
        findings.error(payload.path("items"), message);
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
    /// Of a segment.
    payload: Payload,
    span: Span,
}

fn read_span(value: &mut Value, path: &str, findings: &mut Findings) -> Option<Streamed> {
    let Value::Object(object) = value else {
        findings.error(path, format!("{} is not an object; send a span", kind(value)));
        return None;
    };
    let payload = match object.get("is_segment") {
        Some(Value::Bool(true)) => Payload::from(&*object),
        _ => Payload::default(),
    };
    // Taken apart rather than copied: they may be nearly all of it.
    let attributes = object.remove("attributes").unwrap_or_default();
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
    let attributes = Attributes::read(attributes, fields.path("attributes"), findings);
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
        payload,
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

#[expect(clippy::vec_box, reason = "a vector that grows would hold each twice")]
/// Puts a span to the transaction that it is or belongs to.
fn put(parts: &mut Vec<Box<Transaction>>, streamed: Streamed, envelope: &Envelope<'_>, budget: &mut Budget) {
    let own = size_of::<Span>() + footprint::of_map(&streamed.span.data) + streamed.payload.as_json().len();
    if !budget.charge(own) {
        return;
    }
    let at = match parts.iter().rposition(|part| part.span_id == streamed.segment_id) {
        Some(at) => at,
        None if budget.charge(size_of::<Transaction>() + envelope.project.len()) => {
            parts.push(Box::new(begun(&streamed, envelope)));
            parts.len() - 1
        }
        None => return,
    };
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
    part.payload = streamed.payload;
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
        envelope: Arc::clone(envelope.headers),
        payload: Payload::default(),
        problems: Vec::new(),
        received_at: envelope.received_at,
        copies: 1,
    }
}

#[cfg(test)]
mod tests;
