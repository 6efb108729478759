//! Assembles the transactions of a trace into one tree.
//!
//! A transaction is placed below the span that its `parent_span_id` names, regardless of the
//! service. Nothing is corrected: missing parents, cycles and clocks that disagree are
//! [marked](crate::model::Mark).
//!
//! Trees can be arbitrarily deep, so nothing here recurses.

mod link;
mod services;
mod skew;

use std::sync::Arc;

use sentrace_protocol::TraceId;

use self::link::{Entry, Links};
use crate::model::{Mark, Node, Outcome, Trace, TraceSummary, Transaction};

/// Assembles what has been received of a trace so far.
pub(crate) fn assemble(id: TraceId, transactions: &[Arc<Transaction>], dropped: u64) -> Trace {
    let links = Links::of(transactions);
    let times = links.entries.iter().map(Entry::interval);
    let start = times.clone().map(|(start, _)| start).fold(f64::INFINITY, f64::min);
    let end = times.map(|(_, end)| end).fold(f64::NEG_INFINITY, f64::max);
    let (start, end) = if links.entries.is_empty() { (0.0, 0.0) } else { (start, end) };

    let mut tree = depth_first(&links, start);
    skew::mark(&mut tree, transactions);
    let services = services::assign(&mut tree, transactions);

    let named = tree.iter().filter(|node| node.parent.is_none());
    let root = named.clone().find(|node| node.marks.is_empty()).or_else(|| named.clone().next());
    let count = |is: &dyn Fn(&Node) -> bool| tree.iter().filter(|node| is(node)).count();
    let summary = TraceSummary {
        id,
        name: root.map_or_else(|| "<nothing kept>".to_owned(), |root| root.name.clone()),
        op: root.and_then(|root| root.op.clone()),
        status: root.and_then(|root| root.status.clone()),
        start,
        duration_ms: milliseconds(end - start),
        services,
        transactions: transactions.len(),
        spans: tree.len(),
        roots: count(&|node| node.parent.is_none()),
        failed: count(&|node| node.outcome() == Outcome::Failed),
        orphans: count(&|node| node.marks.contains(&Mark::Orphan)),
        skewed: count(&|node| node.marks.iter().any(|mark| mark.is_skew())),
        problems: transactions.iter().map(|transaction| transaction.problems.len()).sum(),
        duplicates: transactions.iter().map(|transaction| transaction.copies - 1).sum(),
        dropped,
        received_at: transactions.iter().map(|transaction| transaction.received_at).fold(0.0, f64::max),
    };
    Trace { summary, transactions: transactions.to_vec(), tree }
}

/// Rounds to microseconds, the resolution of the input.
fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e3
}

fn depth_first(links: &Links<'_>, start: f64) -> Vec<Node> {
    let mut tree: Vec<Node> = Vec::with_capacity(links.entries.len());
    let mut open: Vec<(usize, Option<usize>)> = links.roots.iter().rev().map(|root| (*root, None)).collect();
    while let Some((index, parent)) = open.pop() {
        let depth = parent.and_then(|parent: usize| tree.get(parent)).map_or(0, |parent| parent.depth + 1);
        let place = tree.len();
        tree.push(links.entries[index].to_node(parent, depth, start));
        open.extend(links.children[index].iter().rev().map(|child| (*child, Some(place))));
    }
    tree
}

impl Entry<'_> {
    fn to_node(&self, parent: Option<usize>, depth: usize, trace_start: f64) -> Node {
        let transaction = self.of;
        let (start, end) = self.interval();
        let (name, op, status) = match self.span() {
            Some(span) => (span.description.as_deref(), &span.op, &span.status),
            None => (Some(transaction.name.as_str()), &transaction.op, &transaction.status),
        };
        let name = name.filter(|name| !name.is_empty()).or(op.as_deref()).unwrap_or("<unnamed span>");
        Node {
            span_id: self.span_id(),
            parent_span_id: self.parent_span_id(),
            parent,
            depth,
            transaction: self.transaction,
            span: self.span,
            service: 0,
            name: name.to_owned(),
            op: op.clone(),
            status: status.clone(),
            offset_ms: milliseconds(start - trace_start),
            duration_ms: milliseconds(end - start),
            marks: self.marks.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
