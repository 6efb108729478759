//! Calls that were answered in another trace because their headers were lost.

use std::collections::{HashMap, HashSet};

use sentrace_protocol::{SpanId, TraceId};
use serde_json::{Map, Value};

use super::Checkup;
use super::view::View;
use crate::ingest::quoted;
use crate::model::{Remark, RemarkKind};

/// The maximum number of calls and heads per trace that are compared with other traces.
const MAX_KEPT: usize = 500;
/// How much the clocks of caller and callee may disagree, in seconds.
const SLACK: f64 = 0.05;

/// The target of a call as known to both sides: method and path, or the method of a gRPC service.
type Target = (String, String);

/// An outgoing call that is not answered within its trace.
#[derive(Debug)]
pub(super) struct Call {
    target: Target,
    service: String,
    host: Option<String>,
    start: f64,
    end: f64,
    place: (TraceId, SpanId),
}

/// A request that started a trace.
#[derive(Debug)]
pub(super) struct Head {
    target: Target,
    service: String,
    start: f64,
    place: (TraceId, SpanId),
}

pub(super) fn calls(view: &View<'_>) -> Vec<Call> {
    let answered: HashSet<usize> =
        view.nodes().filter(|(node, _)| node.is_transaction()).filter_map(|(node, _)| node.parent).collect();
    let calls = view.nodes().enumerate().filter_map(|(index, (node, _))| {
        let (span, data) = (view.child(node)?, view.data(node)?);
        let side = node.op.as_deref().and_then(|op| op.split_once('.'));
        let target = match side {
            Some(("http", "client")) => http_target(data, span.description.as_deref()),
            Some(("grpc" | "rpc", "client")) => grpc_target(span.description.as_deref()),
            _ => return None,
        };
        let host = text(data, &["server.address"]);
        (!answered.contains(&index)).then_some(Call {
            target: target?,
            service: view.name_of(node.service),
            host: host.map(|host| match data.get("server.port").and_then(Value::as_u64) {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            }),
            start: span.start,
            end: span.end,
            place: (view.trace.summary.id, node.span_id),
        })
    });
    calls.take(MAX_KEPT).collect()
}

pub(super) fn heads(view: &View<'_>) -> Vec<Head> {
    let heads = view.transactions().filter_map(|(index, transaction)| {
        if transaction.open || transaction.parent_span_id.is_some() {
            return None;
        }
        let side = transaction.op.as_deref().and_then(|op| op.split_once('.'));
        let target = match side {
            Some(("http", "server")) => {
                let request = transaction.request.as_ref().and_then(Value::as_object);
                let of_request = request.and_then(|request| http_target(request, None));
                of_request.or_else(|| http_target(&transaction.data, Some(&transaction.name)))
            }
            Some(("grpc" | "rpc", "server")) => grpc_target(Some(&transaction.name)),
            _ => return None,
        };
        Some(Head {
            target: target?,
            service: view.service(index),
            start: transaction.start,
            place: (view.trace.summary.id, transaction.span_id),
        })
    });
    heads.take(MAX_KEPT).collect()
}

/// Finds calls that match a trace which started at the same time and target, and should have been
/// part of theirs.
pub(super) fn check<'a>(checkups: impl Iterator<Item = &'a Checkup> + Clone) -> Vec<Remark> {
    let mut heads: HashMap<&Target, Vec<&Head>> = HashMap::new();
    for head in checkups.clone().flat_map(|checkup| &checkup.heads) {
        heads.entry(&head.target).or_default().push(head);
    }
    for of_target in heads.values_mut() {
        of_target.sort_by(|a, b| b.start.total_cmp(&a.start));
    }
    let mut calls: Vec<&Call> = checkups.flat_map(|checkup| &checkup.calls).collect();
    calls.sort_by(|a, b| a.start.total_cmp(&b.start));
    calls.into_iter().filter_map(|call| answer(call, heads.get_mut(&call.target)?)).collect()
}

/// Finds the earliest of `heads` (sorted latest first) that may answer the call, and removes it.
fn answer(call: &Call, heads: &mut Vec<&Head>) -> Option<Remark> {
    let (from, until) = (call.start - SLACK, call.end + SLACK);
    // Calls are sorted by start: a head that started before this call cannot answer a later one
    // either.
    while heads.pop_if(|head| head.start < from).is_some() {}
    let at = heads.iter().rposition(|head| head.start <= until && head.place.0 != call.place.0)?;
    let head = heads.remove(at);
    let host = call.host.as_deref().map(|host| format!(" at {}", quoted(host))).unwrap_or_default();
    let (method, path) = &call.target;
    Some(Remark {
        kind: RemarkKind::PropagationGap,
        what: format!(
            "calls of {} are answered by {}{host} in traces of their own",
            call.service, head.service
        ),
        detail: quoted(format!("{method} {path}").trim_start()),
        trace_id: call.place.0,
        span_id: Some(call.place.1),
        other_trace_id: Some(head.place.0),
    })
}

/// Returns method and path from the attributes that SDKs use, or else from the name, `GET
/// http://host/path`.
fn http_target(data: &Map<String, Value>, name: Option<&str>) -> Option<Target> {
    let named = name.and_then(|name| name.split_once(' '));
    let method = text(data, &["http.request.method", "http.method", "method"]);
    let method = method.or(named.map(|(method, _)| method))?;
    let place = text(data, &["url.path", "url.full", "http.url", "url"]).or(named.map(|(_, url)| url))?;
    Some((method.to_ascii_uppercase(), path(place).to_owned()))
}

fn grpc_target(name: Option<&str>) -> Option<Target> {
    let name = name?.trim_start_matches('/');
    name.contains('/').then(|| (String::new(), name.to_owned()))
}

fn text<'a>(data: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| data.get(*key)?.as_str()).filter(|text| !text.is_empty())
}

/// Returns the path of a URL or path, without the query.
fn path(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => url,
    }
}
