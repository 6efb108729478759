//! Detects clocks that disagree.

use std::sync::Arc;

use crate::model::{Mark, Node, Transaction};

/// How much a child may start before its parent, since timestamps are taken one after the other.
const EARLY_MS: f64 = 1.0;
/// How much a callee may end after the caller's transaction, since bodies drain and cancelling
/// takes time.
const LATE_MS: f64 = 100.0;

/// Marks nodes whose times contradict those of their parents.
pub(super) fn mark(tree: &mut [Node], transactions: &[Arc<Transaction>]) {
    for index in 0..tree.len() {
        let node = &tree[index];
        let Some(parent) = node.parent.map(|parent| &tree[parent]) else { continue };
        let early = parent.offset_ms - node.offset_ms;
        let late = late_ms(node, parent, transactions);
        let marks = &mut tree[index].marks;
        if early > EARLY_MS {
            marks.push(Mark::StartsBeforeParent { ms: early });
        }
        if let Some(ms) = late.filter(|ms| *ms > LATE_MS) {
            marks.push(Mark::EndsAfterParent { ms });
        }
    }
}

/// Returns how long a callee outlived the transaction that waited for it. Work without a waiting
/// caller, such as a queue's, may do so, and so may a callee whose caller cancelled the call.
fn late_ms(node: &Node, parent: &Node, transactions: &[Arc<Transaction>]) -> Option<f64> {
    let op = |node: &Node, side: &str| {
        let op = node.op.as_deref().and_then(|op| op.split_once('.'));
        matches!(op, Some(("http" | "grpc", rest)) if rest == side)
    };
    let waited = node.is_transaction() && op(node, "server") && op(parent, "client");
    let left = [node, parent].iter().any(|node| node.outcome() == crate::model::Outcome::Cancelled);
    if !waited || left {
        return None;
    }
    let (callee, caller) = (transactions.get(node.transaction)?, transactions.get(parent.transaction)?);
    Some(super::milliseconds(callee.end - caller.end))
}
