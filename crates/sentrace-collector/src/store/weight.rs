//! Estimates the memory of a transaction, so that the total can be bounded.

use std::sync::Arc;

use crate::footprint;
use crate::model::{Span, SpanLink, Transaction};

/// What a transaction adds to the tables of the store and of the allocator, and to the data about
/// its trace.
const TRANSACTION: usize = size_of::<Transaction>() + 512;
/// The same for a span, whose vector may have grown to twice its size.
const SPAN: usize = 2 * size_of::<Span>() + 64;
const PROBLEM: usize = 96;

/// Returns the bytes of a transaction: its payload as text, and what has been read from it.
pub(super) fn of(transaction: &Transaction) -> usize {
    let problems =
        transaction.problems.iter().map(|problem| PROBLEM + problem.path.len() + problem.message.len());
    let maps = [&transaction.envelope].into_iter().chain(&transaction.dsc);
    // Transactions from the same envelope share these.
    let shared = maps.map(|map| footprint::of_map(map) / Arc::strong_count(map).max(1));
    let values = [&transaction.request, &transaction.response].into_iter().flatten();
    TRANSACTION
        + transaction.payload.as_json().len()
        // The summary of a trace and what the doctor compares repeat these.
        + 3 * [&transaction.name, &transaction.project].into_iter().map(String::len).sum::<usize>()
        + 3 * texts([&transaction.release, &transaction.environment, &transaction.server_name])
        + 3 * texts([&transaction.op, &transaction.status, &None])
        + texts([&transaction.origin, &None, &None])
        + texts([&transaction.source, &transaction.platform, &None])
        + footprint::of_map(&transaction.data)
        + links(&transaction.links)
        + footprint::of_texts(&transaction.tags)
        + values.map(footprint::of).sum::<usize>()
        + transaction.spans.iter().map(span).sum::<usize>()
        + problems.sum::<usize>()
        + shared.sum::<usize>()
}

fn span(span: &Span) -> usize {
    SPAN + texts([&span.op, &span.description, &span.status])
        + texts([&span.origin, &None, &None])
        + footprint::of_map(&span.data)
        + links(&span.links)
        + footprint::of_texts(&span.tags)
}

fn links(links: &[SpanLink]) -> usize {
    links.iter().map(|link| 2 * size_of::<SpanLink>() + footprint::of_map(&link.attributes)).sum()
}

fn texts(texts: [&Option<String>; 3]) -> usize {
    texts.into_iter().flatten().map(String::len).sum()
}
