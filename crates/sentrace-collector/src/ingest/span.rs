//! Reads the child spans of a transaction.

use std::collections::HashSet;

use sentrace_protocol::{SpanId, TraceId};
use serde_json::{Map, Value};

use super::bounded::{self, Budget, Elements};
use super::fields::{Fields, kind};
use super::findings::Findings;
use super::{links, parsed, terms};
use crate::footprint;
use crate::model::Span;

/// The maximum number of spans of a transaction. Sentry SDK specification, *Span Operations*.
const MAX_SPANS: usize = 1_000;

/// Reads `spans` of a payload. A span without its required fields makes Sentry drop the whole
/// transaction, so it is noted as an error.
pub(super) fn read_all(
    payload: &[u8],
    path: &str,
    trace_id: Option<TraceId>,
    own: Option<SpanId>,
    budget: &mut Budget,
    findings: &mut Findings,
) -> Vec<Span> {
    let path = format!("{path}.spans");
    match parsed(bounded::elements(payload, "spans", 0, budget, |_, _, _| {}), &path, findings) {
        None | Some(Elements::Missing) => return Vec::new(),
        Some(Elements::NotArray(kind)) => {
            findings.warning(&path, format!("{kind} is not an array; Sentry drops it"));
            return Vec::new();
        }
        Some(Elements::Count(sent)) if sent > MAX_SPANS => {
            let message = format!(
                "{sent} spans; a transaction may have at most {MAX_SPANS}, and the others are not kept"
            );
            findings.warning(&path, message);
        }
        Some(Elements::Count(_)) => {}
    }
    let mut ids: HashSet<SpanId> = own.into_iter().collect();
    let mut spans = Vec::new();
    let read = |index: usize, mut value: Value, budget: &mut Budget| {
        let path = format!("{path}[{index}]");
        let Some(mut span) = read(&value, &path, trace_id, findings) else { return };
        if !ids.insert(span.span_id) {
            let message = format!("{} is used twice in this transaction; ids are unique", span.span_id);
            findings.warning(format_args!("{path}.span_id"), message);
        }
        span.data = match value.get_mut("data").map(Value::take) {
            Some(Value::Object(data)) => data,
            _ => Map::new(),
        };
        if budget.charge(footprint(&span)) {
            spans.push(span);
        }
    };
    let elements = bounded::elements(payload, "spans", MAX_SPANS, budget, read);
    parsed(elements, &path, findings);
    spans.shrink_to_fit();
    spans
}

/// Returns the memory of a span, including itself.
fn footprint(span: &Span) -> usize {
    let texts = [&span.op, &span.description, &span.status, &span.origin].into_iter().flatten();
    size_of::<Span>()
        + texts.map(String::len).sum::<usize>()
        + footprint::of_texts(&span.tags)
        + footprint::of_map(&span.data)
        + links::footprint(&span.links)
}

fn read(value: &Value, path: &str, trace_id: Option<TraceId>, findings: &mut Findings) -> Option<Span> {
    let Value::Object(object) = value else {
        findings.error(path, format!("{} is not an object; send a span", kind(value)));
        return None;
    };
    let fields = Fields::new(object, path);
    let own_trace = fields.id::<TraceId>("trace_id", findings);
    let span_id = fields.id("span_id", findings);
    let interval = fields.interval("timestamp", findings);
    if let (Some(own_trace), Some(trace_id)) = (own_trace, trace_id)
        && own_trace != trace_id
    {
        let message = format!("{own_trace} differs from the trace of the transaction, {trace_id}");
        findings.warning(fields.path("trace_id"), message);
    }
    let span = Span {
        parent_span_id: fields.optional_id("parent_span_id", findings),
        op: fields.string("op", findings),
        description: fields.string("description", findings),
        status: terms::status(fields, findings),
        origin: terms::origin(fields, findings),
        tags: fields.tags(findings),
        data: fields.object("data", findings).map(|_| Map::new()).unwrap_or_default(),
        links: links::read(fields, findings, links::plain),
        span_id: span_id?,
        start: interval?.0,
        end: interval?.1,
    };
    own_trace.map(|_| span)
}
