//! Reads a transaction item and checks it as Sentry's ingest would.
//!
//! Follows the Sentry SDK specification, *Event Payloads: Transaction*, and what Relay's transaction
//! validation drops: without a trace context, with a missing or reversed interval, with a span that
//! lacks its ids or times.

use sentrace_protocol::EventId;
use serde_json::{Map, Value};

use super::dsc;
use super::fields::{Fields, kind};
use super::findings::Findings;
use super::{span, terms};
use crate::model::Transaction;

/// What the envelope says about the transaction it carries.
pub(super) struct Envelope<'a> {
    pub(super) project: &'a str,
    pub(super) event_id: Option<EventId>,
    pub(super) headers: &'a Map<String, Value>,
    pub(super) received_at: f64,
}

/// Reads one payload. `None` has been noted as an error.
pub(super) fn read(
    payload: Value,
    path: &str,
    envelope: &Envelope<'_>,
    findings: &mut Findings,
) -> Option<Transaction> {
    let Value::Object(object) = &payload else {
        findings.error(path, format!("{} is not an object; send a transaction", kind(&payload)));
        return None;
    };
    let fields = Fields::new(object, path);
    check_type(fields, findings);
    let event_id = event_id(fields, envelope, findings);
    let interval = fields.interval("timestamp", findings);

    let contexts = fields.object("contexts", findings);
    let contexts_path = fields.path("contexts");
    let contexts = contexts.map(|contexts| Fields::new(contexts, &contexts_path));
    let trace = contexts.and_then(|contexts| contexts.object("trace", findings));
    let trace_path = format!("{contexts_path}.trace");
    let Some(trace) = trace.map(|trace| Fields::new(trace, &trace_path)) else {
        findings.error(trace_path, "is missing; a transaction is dropped without a trace context");
        return None;
    };
    let trace_id = trace.id("trace_id", findings);
    let span_id = trace.id("span_id", findings);
    let dsc = dsc::read(envelope.headers, trace_id, findings);

    let transaction = Transaction {
        project: envelope.project.to_owned(),
        parent_span_id: trace.optional_id("parent_span_id", findings),
        name: name(fields, findings),
        source: source(fields, findings),
        op: trace.string("op", findings),
        status: terms::status(trace, findings),
        origin: terms::origin(trace, findings),
        data: trace.object("data", findings).cloned().unwrap_or_default(),
        tags: fields.tags(findings),
        request: fields.get("request").cloned(),
        response: contexts.and_then(|contexts| contexts.get("response")).cloned(),
        release: fields.string("release", findings),
        environment: fields.string("environment", findings),
        server_name: fields.string("server_name", findings),
        platform: platform(fields, findings),
        spans: span::read_all(fields, trace_id, span_id, findings),
        dsc,
        envelope: envelope.headers.clone(),
        problems: Vec::new(),
        received_at: envelope.received_at,
        copies: 1,
        event_id: Some(event_id?),
        streamed: false,
        open: false,
        trace_id: trace_id?,
        span_id: span_id?,
        start: interval?.0,
        end: interval?.1,
        payload: Value::Null,
    };
    Some(Transaction { payload, ..transaction })
}

fn check_type(fields: Fields<'_>, findings: &mut Findings) {
    match fields.get("type").and_then(Value::as_str) {
        Some("transaction") => {}
        _ => findings
            .error(fields.path("type"), "is not \"transaction\"; Sentry would take it for an error event"),
    }
}

/// The id in the envelope wins over the one in the payload.
fn event_id(fields: Fields<'_>, envelope: &Envelope<'_>, findings: &mut Findings) -> Option<EventId> {
    let own = fields.optional_id::<EventId>("event_id", findings);
    match (envelope.event_id, own) {
        (Some(header), Some(own)) if header != own => {
            let message = format!("{own} is not the envelope's event_id, {header}, which wins");
            findings.warning(fields.path("event_id"), message);
            Some(header)
        }
        (Some(header), None) => {
            findings.warning(fields.path("event_id"), "is missing; send the envelope's event_id here, too");
            Some(header)
        }
        (Some(header), Some(_)) => Some(header),
        (None, Some(own)) => Some(own),
        (None, None) => {
            findings.error(
                fields.path("event_id"),
                "is missing here and in the envelope; send 32 hexadecimal digits",
            );
            None
        }
    }
}

fn name(fields: Fields<'_>, findings: &mut Findings) -> String {
    match fields.string("transaction", findings) {
        Some(name) if !name.trim().is_empty() => name,
        _ => {
            findings.warning(fields.path("transaction"), "is missing or empty; name the transaction");
            "<unlabeled transaction>".to_owned()
        }
    }
}

fn source(fields: Fields<'_>, findings: &mut Findings) -> Option<String> {
    let path = fields.path("transaction_info");
    let info = fields.object("transaction_info", findings).map(|info| Fields::new(info, &path));
    let source = info.and_then(|info| terms::source(info, findings));
    if source.is_none() {
        findings.warning(format_args!("{path}.source"), "is missing; dynamic sampling needs it");
    }
    source
}

fn platform(fields: Fields<'_>, findings: &mut Findings) -> Option<String> {
    let platform = fields.string("platform", findings);
    if platform.is_none() {
        findings
            .warning(fields.path("platform"), "is missing; send \"rust\" or what the program is written in");
    }
    platform
}
