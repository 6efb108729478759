//! Spans that did not end, or ended too late.

use std::collections::HashSet;

use super::view::View;
use crate::clock;
use crate::ingest::quoted;
use crate::model::{Node, Remark, RemarkKind, Transaction};

/// Few requests and queries take this long. Operations that do so by design are recognised by their
/// op.
const LONG_MS: f64 = 5.0 * 60_000.0;
/// How long after its transaction a span may end, for example while a body drains or a guard is
/// dropped late.
const OUTLIVES_MS: f64 = 1_000.0;
/// A `tracing` span that ends this long after its parent, and took this many times as long, was
/// kept alive by something.
const KEPT_MS: f64 = 100.0;
const KEPT_TIMES: f64 = 10.0;
/// The origin of spans of `tracing`.
const TRACING: &str = "auto.tracing";

pub(super) fn check(view: &View<'_>) -> Vec<Remark> {
    let open =
        view.transactions().filter(|(_, transaction)| transaction.open).filter_map(|(index, transaction)| {
            let first = transaction.spans.first()?;
            let (name, service) = (quoted(&transaction.name), view.service(index));
            let what = format!("spans of {name} of {service} came without it");
            let detail = format!("{} of them", transaction.spans.len());
            Some(view.remark(RemarkKind::Unfinished, first.span_id, what, detail))
        });
    let outliving = view.nodes().filter_map(|(node, transaction)| outlives(view, node, transaction));
    let kept = view.nodes().filter_map(|(node, transaction)| kept(view, node, transaction));
    open.chain(outliving).chain(kept).chain(long(view)).collect()
}

/// Finds a `tracing` span that ends long after its parent. Such a span ends when its last handle is
/// dropped, and executors before hyper-util 0.1.21 pass one to the task of each pooled connection.
fn kept(view: &View<'_>, node: &Node, transaction: &Transaction) -> Option<Remark> {
    let span = view.child(node).filter(|span| span.origin.as_deref() == Some(TRACING))?;
    let parent = view.trace.parent(node).filter(|parent| parent.transaction == node.transaction)?;
    let ms = node.offset_ms + node.duration_ms - parent.offset_ms - parent.duration_ms;
    let is_reported_otherwise =
        (span.end - transaction.end) * 1e3 > OUTLIVES_MS || node.duration_ms > LONG_MS;
    if is_reported_otherwise || ms <= KEPT_MS || node.duration_ms < KEPT_TIMES * parent.duration_ms {
        return None;
    }
    let (name, parent) = (quoted(&node.name), quoted(&parent.name));
    let what = format!("{name} of {} lasts far beyond its parent {parent}", view.name_of(node.service));
    let by = clock::duration(ms);
    let detail = format!("by {by}: a task or a pooled connection keeps the `tracing` span in which it began");
    Some(view.remark(RemarkKind::TooLong, node.span_id, what, detail))
}

/// Finds a span that ended after its transaction.
fn outlives(view: &View<'_>, node: &Node, transaction: &Transaction) -> Option<Remark> {
    let span = view.child(node).filter(|_| !transaction.open)?;
    let ms = (span.end - transaction.end) * 1e3;
    let what = || {
        let (name, of) = (quoted(&node.name), quoted(&transaction.name));
        format!("{name} of {} ends after its transaction {of}", view.name_of(node.service))
    };
    (ms > OUTLIVES_MS).then(|| {
        view.remark(RemarkKind::Unfinished, node.span_id, what(), format!("by {}", clock::duration(ms)))
    })
}

/// Finds spans that take long, excluding ancestors that only waited for them.
fn long(view: &View<'_>) -> Vec<Remark> {
    let is_long = |(node, transaction): &(&Node, &Transaction)| {
        node.duration_ms > LONG_MS && !is_long_by_design(node, transaction)
    };
    let waited: HashSet<usize> = view.nodes().filter(is_long).filter_map(|(node, _)| node.parent).collect();
    let nodes = view.nodes().enumerate().filter(|(_, node)| is_long(node));
    let remark = |node: &Node| {
        let what = format!("{} of {} takes very long", quoted(&node.name), view.name_of(node.service));
        view.remark(RemarkKind::TooLong, node.span_id, what, clock::duration(node.duration_ms))
    };
    nodes.filter(|(index, _)| !waited.contains(index)).map(|(_, (node, _))| remark(node)).collect()
}

fn is_long_by_design(node: &Node, transaction: &Transaction) -> bool {
    const WORDS: [&str; 5] = ["websocket", "sse", "stream", "idle", "cron"];
    let op = node.op.as_deref().unwrap_or_default();
    let switched = transaction.data.get("http.response.status_code").and_then(serde_json::Value::as_u64);
    switched == Some(101) || op.split(['.', '_']).any(|part| WORDS.contains(&part))
}
