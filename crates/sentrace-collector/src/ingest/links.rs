//! Reads the links of a span.
//!
//! Sentry SDK specification, *Span Links* 1.0.

use serde_json::{Map, Value};

use super::fields::{Fields, kind};
use super::findings::Findings;
use crate::footprint;
use crate::model::SpanLink;

/// Links that are kept of one span.
const MAX_LINKS: usize = 128;

/// Reads `links` of a span or of a trace context. `attributes` reads the attributes of a link, which are written
/// differently in streamed spans.
pub(super) fn read(
    fields: Fields<'_>,
    findings: &mut Findings,
    attributes: impl Fn(&Value, String, &mut Findings) -> Map<String, Value>,
) -> Vec<SpanLink> {
    let path = fields.path("links");
    let links = match fields.get("links") {
        None => return Vec::new(),
        Some(Value::Array(links)) => links,
        Some(other) => {
            findings.warning(path, format!("{} is not an array; Sentry drops it", kind(other)));
            return Vec::new();
        }
    };
    if links.len() > MAX_LINKS {
        findings.warning(&path, format!("{} links; only {MAX_LINKS} of a span are kept here", links.len()));
    }
    let mut kept = Vec::new();
    for (index, link) in links.iter().take(MAX_LINKS).enumerate() {
        let path = format!("{path}[{index}]");
        let Value::Object(object) = link else {
            findings.error(path, format!("{} is not an object; send a link", kind(link)));
            continue;
        };
        let fields = Fields::new(object, &path);
        let (trace_id, span_id) = (fields.id("trace_id", findings), fields.id("span_id", findings));
        let sampled = fields.get("sampled").and_then(Value::as_bool);
        if sampled.is_none() {
            findings.warning(
                fields.path("sampled"),
                "is not true or false; say whether the linked span is sampled",
            );
        }
        let attributes =
            fields.get("attributes").map(|value| attributes(value, fields.path("attributes"), findings));
        if let (Some(trace_id), Some(span_id)) = (trace_id, span_id) {
            kept.push(SpanLink { trace_id, span_id, sampled, attributes: attributes.unwrap_or_default() });
        }
    }
    kept
}

/// The attributes of a link of a static span: plain values.
pub(super) fn plain(attributes: &Value, path: String, findings: &mut Findings) -> Map<String, Value> {
    let Value::Object(attributes) = attributes else {
        findings.warning(path, format!("{} is not an object; Sentry drops it", kind(attributes)));
        return Map::new();
    };
    for (key, value) in attributes {
        if value.is_object() {
            let message = "is an object; attributes of static spans are plain values without types";
            findings.warning(format_args!("{path}[{key:?}]"), message);
        }
    }
    attributes.clone()
}

/// What links take in memory.
pub(super) fn footprint(links: &[SpanLink]) -> usize {
    links.iter().map(|link| size_of::<SpanLink>() + footprint::of_map(&link.attributes)).sum()
}
