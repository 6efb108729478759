//! Reads a transaction item and checks it as Sentry's ingest would.
//!
//! Follows the Sentry SDK specification, *Event Payloads: Transaction*, and Relay's transaction
//! validation, which drops transactions without a trace context, with a missing or reversed
//! interval, or with a span that lacks its ids or times.

use std::sync::Arc;

use sentrace_protocol::EventId;
use serde_json::{Map, Value};

use super::bounded::{self, Budget};
use super::fields::Fields;
use super::findings::Findings;
use super::{dsc, links, parsed, span, terms};
use crate::footprint;
use crate::model::{Payload, Transaction};

/// What the envelope says about the transaction it carries.
pub(super) struct Envelope<'a> {
    pub(super) project: &'a str,
    pub(super) event_id: Option<EventId>,
    pub(super) headers: &'a Arc<Map<String, Value>>,
    pub(super) received_at: f64,
}

/// Reads a payload. If `None` is returned, an error has been noted.
pub(super) fn read(
    payload: &[u8],
    path: &str,
    envelope: &Envelope<'_>,
    budget: &mut Budget,
    findings: &mut Findings,
) -> Option<Box<Transaction>> {
    let Ok(text) = std::str::from_utf8(payload) else {
        findings.error(path, "the payload is not UTF-8; send JSON in UTF-8");
        return None;
    };
    let mut object = parsed(bounded::object(payload, Some("spans"), budget), path, findings)?;
    let whole = footprint::of_map(&object);
    let fields = Fields::new(&object, path);
    check_type(fields, findings);
    let event_id = event_id(fields, envelope, findings);
    let interval = fields.interval("timestamp", findings);

    let contexts = fields.object("contexts", findings);
    let contexts_path = fields.path("contexts");
    let contexts = contexts.map(|contexts| Fields::new(contexts, &contexts_path));
    let trace = contexts.and_then(|contexts| contexts.object("trace", findings));
    let trace_path = format!("{contexts_path}.trace");
    let Some(trace) = trace.map(|trace| Fields::new(trace, &trace_path)) else {
        findings.error(trace_path, "is missing; Sentry drops a transaction without a trace context");
        return None;
    };
    let trace_id = trace.id("trace_id", findings);
    let span_id = trace.id("span_id", findings);
    let dsc = dsc::read(envelope.headers, trace_id, findings);
    let spans = span::read_all(payload, path, trace_id, span_id, budget, findings);

    let mut transaction = Box::new(Transaction {
        project: envelope.project.to_owned(),
        parent_span_id: trace.optional_id("parent_span_id", findings),
        name: name(fields, findings),
        source: source(fields, findings),
        op: trace.string("op", findings),
        status: terms::status(trace, findings),
        origin: terms::origin(trace, findings),
        data: Map::new(),
        links: links::read(trace, findings, links::plain),
        tags: fields.tags(findings),
        request: None,
        response: None,
        release: fields.string("release", findings),
        environment: fields.string("environment", findings),
        server_name: fields.string("server_name", findings),
        platform: platform(fields, findings),
        spans,
        dsc,
        envelope: Arc::clone(envelope.headers),
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
        payload: Payload::from_json(text),
    });
    trace.object("data", findings);
    // Moved rather than copied, since these may be most of the payload.
    let take = |pointer: &[&str]| {
        let (last, above) = pointer.split_last()?;
        let above =
            above.iter().try_fold(&mut object, |object, key| object.get_mut(*key)?.as_object_mut())?;
        above.remove(*last).filter(|value| !value.is_null())
    };
    let [data, response, request] =
        [&["contexts", "trace", "data"][..], &["contexts", "response"], &["request"]].map(take);
    transaction.data = data.and_then(into_object).unwrap_or_default();
    (transaction.request, transaction.response) = (request, response);
    budget.release(whole);
    budget.charge(size_of::<Transaction>() + kept(&transaction)).then_some(transaction)
}

fn into_object(value: Value) -> Option<Map<String, Value>> {
    if let Value::Object(object) = value { Some(object) } else { None }
}

/// Returns the memory of what is kept besides the payload's text and the spans.
fn kept(transaction: &Transaction) -> usize {
    let values = [&transaction.request, &transaction.response].into_iter().flatten().map(footprint::of);
    let tags = footprint::of_texts(&transaction.tags);
    footprint::of_map(&transaction.data) + links::footprint(&transaction.links) + values.sum::<usize>() + tags
}

/// Checks the type. Sentry uses the type of the item, so a different one here is most likely a
/// mistake.
fn check_type(fields: Fields<'_>, findings: &mut Findings) {
    let path = fields.path("type");
    match fields.get("type") {
        None => {
            findings.warning(
                path,
                "is missing; Sentry uses the type of the item, but most SDKs also send it here",
            );
        }
        Some(Value::String(kind)) if kind == "transaction" => {}
        Some(_) => {
            findings.error(path, "is not \"transaction\"; Sentry would treat it as an error event");
        }
    }
}

/// Returns the event id. The one of the envelope takes precedence over that of the payload.
fn event_id(fields: Fields<'_>, envelope: &Envelope<'_>, findings: &mut Findings) -> Option<EventId> {
    let own = fields.optional_id::<EventId>("event_id", findings);
    match (envelope.event_id, own) {
        (Some(header), Some(own)) if header != own => {
            let message =
                format!("{own} differs from the envelope's event_id, {header}, which takes precedence");
            findings.warning(fields.path("event_id"), message);
            Some(header)
        }
        (Some(header), None) => {
            findings.warning(fields.path("event_id"), "is missing; also send the envelope's event_id here");
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
        findings.warning(fields.path("platform"), "is missing; send \"rust\" or the program's language");
    }
    platform
}
