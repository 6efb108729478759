//! Reads streamed spans, version 2 of the `span` item.
//!
//! Follows the Sentry SDK specification, *Spans* 1.0, including what Relay may refuse according to
//! it.

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
use super::{dsc, links, parsed, terms};
use crate::footprint;
use crate::model::{Payload, Span, Transaction};

/// Repeated here on purpose, like the words in [`terms`].
const CONTENT_TYPE: &str = "application/vnd.sentry.items.span.v2+json";
const MAX_ITEMS: usize = 1_000;

/// What the envelope says about the spans it carries.
pub(super) struct Envelope<'a> {
    pub(super) project: &'a str,
    pub(super) headers: &'a Arc<Map<String, Value>>,
    pub(super) received_at: f64,
}

/// Returns `true` if a `span` item is of this version. Older ones contain a single span in another
/// format.
fn is_streamed(header: &Map<String, Value>) -> bool {
    header.contains_key("item_count")
        || header.get("content_type").and_then(Value::as_str) == Some(CONTENT_TYPE)
}

/// Reads an item into parts of transactions. Missing fields are noted.
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
            let message = format!(
                "{} differs from the trace of the first span; send one trace per item",
                span.trace_id
            );
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
            findings.error(fields.path("items"), "is missing or not an array; it contains the spans");
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
        Some(sent) if sent == count as u64 => {}
        Some(sent) => findings.warning(path, format!("{sent} is not the number of items, {count}")),
        None => findings.error(path, "is missing in the item header; send the number of spans"),
    }
    let content_type = header.get("content_type").and_then(Value::as_str);
    if content_type != Some(CONTENT_TYPE) {
        let sent = quoted(content_type.unwrap_or_default());
        findings.error(payload.path("content_type"), format!("{sent} is not {CONTENT_TYPE}"));
    }
    match payload.get("version").map(Value::as_u64) {
        None | Some(Some(1 | 2)) => {}
        Some(_) => findings.warning(payload.path("version"), "is not 2"),
    }
    if count == 0 {
        findings.error(payload.path("items"), "is empty; send at least one span");
    } else if count > MAX_ITEMS {
        let message =
            format!("{count} spans; an item may have at most {MAX_ITEMS}, send the others in further items");
        findings.error(payload.path("items"), message);
    }
}

/// A span with its place in a trace.
struct Streamed {
    trace_id: TraceId,
    is_segment: bool,
    segment_id: SpanId,
    segment_name: Option<String>,
    source: Option<String>,
    release: Option<String>,
    environment: Option<String>,
    platform: Option<String>,
    /// The payload of a segment.
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
    // Moved rather than copied, since they may be most of the span.
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
        findings.warning(
            fields.path("is_segment"),
            "is neither true nor false; say whether the span is a segment",
        );
    }
    let is_segment = is_segment.unwrap_or(false);
    let status = fields.string("status", findings);
    if !matches!(status.as_deref(), Some("ok" | "error")) {
        let sent = quoted(status.as_deref().unwrap_or_default());
        findings.warning(fields.path("status"), format!("{sent} is neither ok nor error"));
    }
    let links = links::read(fields, findings, |attributes, path, findings| {
        Attributes::read(attributes.clone(), path, findings).into_data()
    });
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
        // Without the attribute, a span is assigned to its parent.
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
            links,
        },
    })
}

#[expect(clippy::vec_box, reason = "a vector that grows would hold each twice")]
/// Adds a span to its transaction.
fn put(parts: &mut Vec<Box<Transaction>>, streamed: Streamed, envelope: &Envelope<'_>, budget: &mut Budget) {
    let own = size_of::<Span>()
        + footprint::of_map(&streamed.span.data)
        + links::footprint(&streamed.span.links)
        + streamed.payload.as_json().len();
    if !budget.charge(own) {
        return;
    }
    let at = match parts.iter().rposition(|part| part.span_id == streamed.segment_id) {
        Some(at) => at,
        None if budget.charge(size_of::<Transaction>() + envelope.project.len()) => {
            parts.push(Box::new(open(&streamed, envelope)));
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
    part.links = span.links;
    part.payload = streamed.payload;
}

/// Creates a transaction of which only a span is known.
fn open(streamed: &Streamed, envelope: &Envelope<'_>) -> Transaction {
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
        links: Vec::new(),
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
