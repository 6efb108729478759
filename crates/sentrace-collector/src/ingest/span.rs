//! Reads the child spans of a transaction.

use std::collections::HashSet;

use sentrace_protocol::{SpanId, TraceId};
use serde_json::Value;

use super::fields::{Fields, kind};
use super::findings::Findings;
use super::terms;
use crate::model::Span;

/// What an SDK may send with one transaction. Sentry SDK specification, *Span Operations*.
const MAX_SPANS: usize = 1_000;

/// Reads `spans`. A span without its required fields makes Sentry drop the whole transaction, so
/// it is noted as an error.
pub(super) fn read_all(
    payload: Fields<'_>,
    trace_id: Option<TraceId>,
    own: Option<SpanId>,
    findings: &mut Findings,
) -> Vec<Span> {
    let sent = match payload.get("spans") {
        None => return Vec::new(),
        Some(Value::Array(spans)) => spans,
        Some(other) => {
            findings
                .warning(payload.path("spans"), format!("{} is not an array; Sentry drops it", kind(other)));
            return Vec::new();
        }
    };
    if sent.len() > MAX_SPANS {
        let message = format!("{} spans; a transaction has at most {MAX_SPANS}", sent.len());
        findings.warning(payload.path("spans"), message);
    }
    let mut ids: HashSet<SpanId> = own.into_iter().collect();
    let mut spans = Vec::with_capacity(sent.len());
    for (index, value) in sent.iter().enumerate() {
        let path = payload.path(&format!("spans[{index}]"));
        let Some(span) = read(value, &path, trace_id, findings) else { continue };
        if !ids.insert(span.span_id) {
            let message = format!("{} is used twice in this transaction; ids are unique", span.span_id);
            findings.warning(format_args!("{path}.span_id"), message);
        }
        spans.push(span);
    }
    spans
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
        let message = format!("{own_trace} is another trace than the transaction's, {trace_id}");
        findings.warning(fields.path("trace_id"), message);
    }
    let span = Span {
        parent_span_id: fields.optional_id("parent_span_id", findings),
        op: fields.string("op", findings),
        description: fields.string("description", findings),
        status: terms::status(fields, findings),
        origin: terms::origin(fields, findings),
        tags: fields.tags(findings),
        data: fields.object("data", findings).cloned().unwrap_or_default(),
        span_id: span_id?,
        start: interval?.0,
        end: interval?.1,
    };
    own_trace.map(|_| span)
}
