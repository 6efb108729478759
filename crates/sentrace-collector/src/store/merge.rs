//! Merges transactions that are received again or in parts.

use std::collections::HashSet;

use crate::model::Transaction;

/// Returns `true` if both are the same event, or parts of the same streamed transaction.
pub(super) fn is_same(kept: &Transaction, new: &Transaction) -> bool {
    match (kept.event_id, new.event_id) {
        (Some(kept), Some(new)) => kept == new,
        (None, None) => (kept.span_id, &kept.project) == (new.span_id, &new.project),
        _ => false,
    }
}

/// Merges a transaction into a kept one. Returns `false` if it was merely a copy.
pub(super) fn merge(kept: &mut Transaction, new: Transaction) -> bool {
    if !new.streamed {
        kept.copies = kept.copies.saturating_add(1);
        return false;
    }
    let Transaction { spans, problems, received_at, open, .. } = &new;
    let known: HashSet<_> = kept.spans.iter().map(|span| span.span_id).collect();
    let fresh = spans.iter().filter(|span| !known.contains(&span.span_id)).cloned();
    let before = kept.spans.len();
    kept.spans.extend(fresh);
    let came_again = kept.spans.len() - before < spans.len() || (!kept.open && !open);
    kept.copies = kept.copies.saturating_add(u32::from(came_again));
    kept.problems.extend(problems.iter().cloned());
    kept.received_at = kept.received_at.max(*received_at);
    if kept.open {
        let spans = std::mem::take(&mut kept.spans);
        let problems = std::mem::take(&mut kept.problems);
        let (start, end) =
            if new.open { (kept.start.min(new.start), kept.end.max(new.end)) } else { (new.start, new.end) };
        let (copies, received_at) = (kept.copies, kept.received_at);
        *kept = Transaction { spans, problems, start, end, copies, received_at, ..new };
    }
    true
}
