//! Whether the spans of a trace form a tree, and whether their times are consistent.

use std::collections::BTreeMap;

use sentrace_protocol::SpanId;

use super::view::View;
use crate::clock;
use crate::ingest::quoted;
use crate::model::{Mark, Node, Remark, RemarkKind};

pub(super) fn check(view: &View<'_>) -> Vec<Remark> {
    let of_node = |node: &Node| {
        let (name, service) = (quoted(&node.name), view.name_of(node.service));
        let remark = |kind, what: String, detail: String| view.remark(kind, node.span_id, what, detail);
        let remarks = node.marks.iter().filter_map(|mark| match mark {
            Mark::Orphan => {
                let parent = node.parent_span_id.map(|id| format!("its parent is {id}"));
                let what = format!("{name} of {service} names a parent that was not received");
                Some(remark(RemarkKind::Orphan, what, parent.unwrap_or_default()))
            }
            Mark::Cycle => {
                let what = format!("the parents of {name} of {service} lead back to it");
                Some(remark(RemarkKind::BrokenTree, what, String::new()))
            }
            Mark::DuplicateId => {
                let what = format!("{name} of {service} has the id of another span");
                Some(remark(RemarkKind::BrokenTree, what, format!("the id is {}", node.span_id)))
            }
            Mark::StartsBeforeParent { .. } | Mark::EndsAfterParent { .. } => None,
        });
        remarks.collect::<Vec<_>>()
    };
    view.trace.tree.iter().flat_map(of_node).collect()
}

/// Finds the largest contradiction between any two services.
pub(super) fn clocks(view: &View<'_>) -> Vec<Remark> {
    let mut worst: BTreeMap<(usize, usize, bool), (f64, SpanId)> = BTreeMap::new();
    for node in &view.trace.tree {
        let Some(parent) = view.trace.parent(node) else { continue };
        for mark in &node.marks {
            let (early, ms) = match *mark {
                Mark::StartsBeforeParent { ms } => (true, ms),
                Mark::EndsAfterParent { ms } => (false, ms),
                Mark::Orphan | Mark::Cycle | Mark::DuplicateId => continue,
            };
            let known = worst.entry((parent.service, node.service, early)).or_insert((ms, node.span_id));
            if ms > known.0 {
                *known = (ms, node.span_id);
            }
        }
    }
    let remarks = worst.into_iter().map(|((caller, callee, early), (ms, span_id))| {
        let (caller_name, callee_name, by) =
            (view.name_of(caller), view.name_of(callee), clock::duration(ms));
        let (what, detail) = match (caller == callee, early) {
            (true, true) => {
                (format!("spans of {callee_name} start before their parents"), format!("by {by}"))
            }
            (true, false) => {
                (format!("calls of {callee_name} to itself end after their callers"), format!("by {by}"))
            }
            (false, true) => (
                format!("spans of {callee_name} start before those of {caller_name} that they belong to"),
                format!("by {by}: the clock of {callee_name} is at least so far behind"),
            ),
            (false, false) => (
                format!("requests to {callee_name} end after {caller_name}, which waited for them"),
                format!("by {by}: the clock of {callee_name} may be so far ahead"),
            ),
        };
        view.remark(RemarkKind::ClockSkew, span_id, what, detail)
    });
    remarks.collect()
}
