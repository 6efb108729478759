//! The details of an expanded row of the waterfall.

use std::borrow::Cow;

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::parts;
use crate::clock;
use crate::model::{Node, Service, Span, SpanLink, Trace, Transaction};

/// Longer payloads are truncated on the page; the JSON has them in full.
const MAX_PAYLOAD: usize = 64 * 1024;

/// Renders all details of a span.
pub(super) fn render(trace: &Trace, node: &Node) -> Markup {
    let Some(transaction) = trace.transaction_of(node) else { return html! {} };
    let span = trace.span_of(node);
    let tags = span.map_or(&transaction.tags, |span| &span.tags);
    let tags: Vec<_> = tags.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let data = parts::rows(span.map_or(&transaction.data, |span| &span.data));
    // Streamed spans all repeat these attributes, which would bury their own.
    let (filed, data): (Vec<_>, Vec<_>) = data.into_iter().partition(|(key, _)| key.starts_with("sentry."));
    html! {
        div.details {
            @if !node.marks.is_empty() {
                section.block.wide {
                    @for mark in &node.marks { p.note { (mark) } }
                }
            }
            (identity(trace, node, transaction, span))
            (parts::table("Timing", &timing(trace, node)))
            (links(trace, span.map_or(&transaction.links, |span| &span.links)))
            (parts::table("Data", &data))
            (parts::table("Tags", &tags))
            (parts::table("Sentry attributes", &filed))
            @if span.is_none() { (of_transaction(trace, node, transaction)) }
        }
    }
}

fn identity(trace: &Trace, node: &Node, transaction: &Transaction, span: Option<&Span>) -> Markup {
    let origin = span.map_or(&transaction.origin, |span| &span.origin);
    html! {
        section.block {
            h3 { "Span" }
            dl {
                (entry("name", Some(&node.name)))
                (entry("op", node.op.as_deref()))
                (entry("status", node.status.as_deref()))
                (entry("origin", origin.as_deref()))
                (entry("span id", Some(&node.span_id.to_string())))
                @if let Some(parent) = node.parent_span_id {
                    div {
                        dt { "parent" }
                        dd {
                            @if trace.node(parent).is_some() {
                                a href={ "#" (parts::anchor(parent)) } { (parent) }
                            } @else { (parent) " (not received)" }
                        }
                    }
                }
                @if span.is_none() {
                    (entry("source", transaction.source.as_deref()))
                    (entry("event id", transaction.event_id.map(|id| id.to_string()).as_deref()))
                    (entry("sent as", transaction.streamed.then_some("a streamed span")))
                }
            }
        }
    }
}

/// Links lead to the linked span, on this page or on that of its trace.
fn links(trace: &Trace, links: &[SpanLink]) -> Markup {
    html! {
        @if !links.is_empty() {
            section.block {
                h3 { "Links" }
                dl {
                    @for link in links {
                        @let page = if link.trace_id == trace.summary.id {
                            String::new()
                        } else {
                            format!("/traces/{}", link.trace_id)
                        };
                        div {
                            dt { (link.link_type().unwrap_or("link")) }
                            dd {
                                a href={ (page) "#" (parts::anchor(link.span_id)) } { (link.span_id) }
                                @if !page.is_empty() { " in trace " code { (link.trace_id) } }
                                @if link.sampled == Some(false) { " (not sampled)" }
                            }
                        }
                        @for (key, value) in parts::rows(&link.attributes) {
                            @if key != "sentry.link.type" { div { dt { (key) } dd { (value) } } }
                        }
                    }
                }
            }
        }
    }
}

fn entry(name: &str, value: Option<&str>) -> Markup {
    html! {
        @if let Some(value) = value { div { dt { (name) } dd { (value) } } }
    }
}

fn timing(trace: &Trace, node: &Node) -> Vec<(String, String)> {
    let at = trace.summary.start + node.offset_ms / 1e3;
    vec![
        ("starts after".into(), clock::duration(node.offset_ms)),
        ("takes".into(), clock::duration(node.duration_ms)),
        ("start".into(), clock::format_utc(at)),
        ("end".into(), clock::format_utc(at + node.duration_ms / 1e3)),
    ]
}

fn of_transaction(trace: &Trace, node: &Node, transaction: &Transaction) -> Markup {
    let service = trace.service_of(node).map(service).unwrap_or_default();
    let payload = pretty(transaction.payload.as_json());
    let cut = (0..=MAX_PAYLOAD.min(payload.len())).rev().find(|cut| payload.is_char_boundary(*cut));
    let shown = &payload[..cut.unwrap_or_default()];
    let headers = transaction.envelope.iter().filter(|(name, _)| *name != "trace");
    let headers: Vec<_> = headers.map(|(name, value)| (name.clone(), parts::plain(value))).collect();
    html! {
        (parts::table("Service", &service))
        (parts::table("Request", &request(transaction.request.as_ref())))
        (parts::table("Response", &object(transaction.response.as_ref())))
        (parts::table("Dynamic sampling context", &transaction.dsc.as_deref().map(parts::rows).unwrap_or_default()))
        (parts::table("Envelope", &headers))
        (parts::problems(&transaction.problems))
        @if transaction.copies > 1 {
            p.note { "This event was received " (transaction.copies) " times and is kept once." }
        }
        details.payload {
            summary { "Payload" }
            pre { (shown) }
            @if shown.len() < payload.len() {
                p.muted { "Truncated. The " a href={ "/api/traces/" (transaction.trace_id) } { "JSON" } " has it in full." }
            }
        }
    }
}

/// Formats JSON, unless it is so long that parsing it would take too much memory.
fn pretty(json: &str) -> Cow<'_, str> {
    let parsed = if json.len() <= MAX_PAYLOAD { serde_json::from_str::<Value>(json).ok() } else { None };
    let pretty = parsed.and_then(|parsed| serde_json::to_string_pretty(&parsed).ok());
    pretty.map_or(Cow::Borrowed(json), Cow::Owned)
}

fn service(service: &Service) -> Vec<(String, String)> {
    let rows = [
        ("service", Some(&service.name)),
        ("project", Some(&service.project)),
        ("release", service.release.as_ref()),
        ("environment", service.environment.as_ref()),
        ("server name", service.server_name.as_ref()),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.clone()))).collect()
}

/// Returns the rows of a request, with one for each header.
fn request(request: Option<&Value>) -> Vec<(String, String)> {
    let Some(Value::Object(request)) = request else { return object(request) };
    let mut rows: Vec<_> = request
        .iter()
        .filter(|(name, _)| *name != "headers")
        .map(|(name, value)| (name.clone(), parts::plain(value)))
        .collect();
    match request.get("headers") {
        Some(Value::Object(headers)) => rows.extend(parts::rows(headers)),
        Some(other) => rows.push(("headers".into(), parts::plain(other))),
        None => {}
    }
    rows
}

fn object(value: Option<&Value>) -> Vec<(String, String)> {
    match value {
        None => Vec::new(),
        Some(Value::Object(object)) => parts::rows(object),
        Some(other) => parts::rows(&Map::from_iter([("value".to_owned(), other.clone())])),
    }
}
