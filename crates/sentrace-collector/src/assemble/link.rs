//! Finds the parent of every span.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use sentrace_protocol::SpanId;

use crate::model::{Mark, Span, Transaction};

/// A transaction or one of its child spans, before it is placed in the tree.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) of: &'a Transaction,
    pub(super) transaction: usize,
    pub(super) span: Option<usize>,
    pub(super) marks: Vec<Mark>,
    /// The index of the transaction's own entry, which may be missing.
    own: Option<usize>,
    parent: Option<usize>,
}

impl<'a> Entry<'a> {
    pub(super) fn span(&self) -> Option<&'a Span> {
        self.of.spans.get(self.span?)
    }

    pub(super) fn span_id(&self) -> SpanId {
        self.span().map_or(self.of.span_id, |span| span.span_id)
    }

    pub(super) fn parent_span_id(&self) -> Option<SpanId> {
        match self.span() {
            Some(span) => span.parent_span_id,
            None => self.of.parent_span_id,
        }
    }

    pub(super) fn interval(&self) -> (f64, f64) {
        self.span().map_or((self.of.start, self.of.end), |span| (span.start, span.end))
    }
}

/// All entries of a trace and their relations.
#[derive(Debug)]
pub(super) struct Links<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    /// Indices of the roots, ordered by start.
    pub(super) roots: Vec<usize>,
    /// Indices of the children of each entry, ordered by start.
    pub(super) children: Vec<Vec<usize>>,
}

impl<'a> Links<'a> {
    pub(super) fn of(transactions: &'a [Arc<Transaction>]) -> Self {
        let mut entries = Vec::new();
        for (index, transaction) in transactions.iter().enumerate() {
            let own = (!transaction.open).then_some(entries.len());
            let spans = (0..transaction.spans.len()).map(Some);
            entries.extend(own.map(|_| None).into_iter().chain(spans).map(|span| Entry {
                of: transaction,
                transaction: index,
                span,
                marks: Vec::new(),
                own,
                parent: None,
            }));
        }
        find_parents(&mut entries);
        cut_cycles(&mut entries);

        let mut roots = Vec::new();
        let mut children = vec![Vec::new(); entries.len()];
        for (index, entry) in entries.iter().enumerate() {
            match entry.parent {
                Some(parent) => children[parent].push(index),
                None => roots.push(index),
            }
        }
        let by_start = |a: &usize, b: &usize| earlier(&entries[*a], &entries[*b]);
        roots.sort_by(by_start);
        for siblings in &mut children {
            siblings.sort_by(by_start);
        }
        Self { entries, roots, children }
    }
}

/// A child span looks for its parent in its own transaction first, so that duplicate ids in other
/// transactions cannot capture it.
fn find_parents(entries: &mut [Entry<'_>]) {
    let mut anywhere: HashMap<SpanId, usize> = HashMap::with_capacity(entries.len());
    let mut within: HashMap<(usize, SpanId), usize> = HashMap::with_capacity(entries.len());
    let mut duplicates = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let id = entry.span_id();
        within.entry((entry.transaction, id)).or_insert(index);
        if *anywhere.entry(id).or_insert(index) != index {
            duplicates.push(index);
        }
    }
    for index in duplicates {
        entries[index].marks.push(Mark::DuplicateId);
    }
    for entry in entries.iter_mut() {
        let wanted = entry.parent_span_id();
        let found = wanted.and_then(|id| {
            let near = within.get(&(entry.transaction, id)).filter(|_| entry.span.is_some());
            near.or_else(|| anywhere.get(&id)).copied()
        });
        entry.parent = found.or(entry.own.filter(|_| entry.span.is_some()));
        if wanted.is_some() && found.is_none() {
            entry.marks.push(Mark::Orphan);
        }
    }
}

/// Walks up from every entry. A walk that meets itself has found a cycle, which is cut above the
/// transaction that started first, or else above the first span.
fn cut_cycles(entries: &mut [Entry<'_>]) {
    const UNSEEN: usize = usize::MAX;
    let mut walk = vec![UNSEEN; entries.len()];
    for from in 0..entries.len() {
        let mut at = Some(from);
        while let Some(index) = at.filter(|index| walk[*index] == UNSEEN) {
            walk[index] = from;
            at = entries[index].parent;
        }
        let Some(met) = at.filter(|index| walk[*index] == from) else { continue };
        let mut cycle = vec![met];
        let mut next = entries[met].parent;
        while let Some(index) = next.filter(|index| *index != met) {
            cycle.push(index);
            next = entries[index].parent;
        }
        let first = cycle.into_iter().min_by(|a, b| {
            let (a, b) = (&entries[*a], &entries[*b]);
            a.span.is_some().cmp(&b.span.is_some()).then_with(|| earlier(a, b))
        });
        if let Some(first) = first {
            cut(entries, first);
        }
    }
}

/// Places a span of a cycle below its own transaction, unless that would close the cycle again.
fn cut(entries: &mut [Entry<'_>], index: usize) {
    entries[index].marks.push(Mark::Cycle);
    let own = entries[index].own.filter(|_| entries[index].span.is_some());
    let mut at = own;
    let mut steps = 0;
    while let Some(above) = at.filter(|above| *above != index && steps <= entries.len()) {
        at = entries[above].parent;
        steps += 1;
    }
    entries[index].parent = own.filter(|_| at.is_none());
}

fn earlier(a: &Entry<'_>, b: &Entry<'_>) -> Ordering {
    let by_time = a.interval().0.total_cmp(&b.interval().0);
    by_time.then_with(|| a.span_id().cmp(&b.span_id())).then_with(|| a.transaction.cmp(&b.transaction))
}
