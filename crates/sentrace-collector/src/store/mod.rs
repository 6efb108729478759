//! The most recent traces, in bounded memory.

mod limits;
mod merge;
mod tally;
mod weight;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, OnceLock};

use sentrace_protocol::TraceId;

pub use self::limits::Limits;
use self::tally::Tally;
use crate::assemble::assemble;
use crate::doctor::{self, Checkup};
use crate::ingest::Examined;
use crate::model::{Counts, Remark, ReportedProblem, Reports, Trace, TraceSummary, Transaction};

/// What a collector has received. The conditions of
/// [`Collector::wait_for`](crate::Collector::wait_for) examine it.
#[derive(Debug)]
pub struct Store {
    limits: Limits,
    traces: HashMap<TraceId, Kept>,
    /// Ids by first arrival, oldest first.
    order: VecDeque<TraceId>,
    bytes: usize,
    problems: VecDeque<ReportedProblem>,
    tally: Tally,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Kept {
    transactions: Vec<Arc<Transaction>>,
    bytes: usize,
    dropped: u64,
    summary: OnceLock<TraceSummary>,
    checkup: OnceLock<Checkup>,
}

impl Store {
    /// Creates an empty store.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            traces: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            problems: VecDeque::new(),
            tally: Tally::default(),
            counts: Counts::default(),
        }
    }

    /// Returns all traces, most recently received first.
    pub fn traces(&self) -> Vec<TraceSummary> {
        let newest_first = self.order.iter().rev();
        newest_first.filter_map(|id| self.summary(*id)).collect()
    }

    /// Returns the number of traces.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns the summary of a trace.
    pub fn summary(&self, id: TraceId) -> Option<TraceSummary> {
        let kept = self.traces.get(&id)?;
        Some(kept.summary.get_or_init(|| assemble(id, &kept.transactions, kept.dropped).summary).clone())
    }

    /// Returns a trace, assembled from what has been received so far.
    pub fn trace(&self, id: TraceId) -> Option<Trace> {
        let kept = self.traces.get(&id)?;
        Some(assemble(id, &kept.transactions, kept.dropped))
    }

    /// Returns every kept transaction, trace by trace, oldest trace first.
    pub fn transactions(&self) -> impl Iterator<Item = &Transaction> {
        let kept = self.order.iter().filter_map(|id| self.traces.get(id));
        kept.flat_map(|kept| kept.transactions.iter().map(|transaction| &**transaction))
    }

    /// Returns what the doctor finds odd in all traces, most severe first. Incomplete traces may
    /// look odd.
    pub fn remarks(&self) -> Vec<Remark> {
        doctor::examine(self.order.iter().rev().filter_map(|id| self.checkup(*id)))
    }

    /// Returns what the doctor finds odd in one trace, compared with all others, most severe first.
    pub fn remarks_of(&self, id: TraceId) -> Vec<Remark> {
        let concerned = |remark: &Remark| remark.trace_id == id || remark.other_trace_id == Some(id);
        self.remarks().into_iter().filter(concerned).collect()
    }

    fn checkup(&self, id: TraceId) -> Option<&Checkup> {
        let kept = self.traces.get(&id)?;
        Some(kept.checkup.get_or_init(|| Checkup::of(&assemble(id, &kept.transactions, kept.dropped))))
    }

    /// Returns totals of client reports and of items.
    pub fn reports(&self) -> Reports {
        self.tally.reports()
    }

    /// Returns the most recent problems, oldest first.
    pub fn problems(&self) -> impl DoubleEndedIterator<Item = &ReportedProblem> + ExactSizeIterator {
        self.problems.iter()
    }

    /// Returns how many envelopes were received, accepted and refused.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Discards everything, including counts.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.limits);
    }

    pub(crate) fn count_received(&mut self) {
        self.counts.received += 1;
    }

    pub(crate) fn count_refused(&mut self) {
        self.counts.refused += 1;
    }

    /// Adds an examined envelope. Of a refused one only the problems are kept.
    pub(crate) fn add(&mut self, examined: Examined) {
        let first = examined.transaction.as_ref().or(examined.streamed.first());
        let trace_id = first.map(|transaction| transaction.trace_id);
        for problem in examined.problems {
            self.problems.push_back(ReportedProblem {
                received_at: examined.received_at,
                project: examined.project.clone(),
                trace_id,
                event_id: examined.event_id,
                problem,
            });
        }
        let surplus = self.problems.len().saturating_sub(self.limits.problems);
        self.problems.drain(..surplus);
        if examined.refusal.is_some() {
            self.counts.refused += 1;
            return;
        }
        self.counts.accepted += 1;
        for (kind, count) in examined.items {
            self.tally.item(&examined.project, kind, count);
        }
        for lost in examined.discarded {
            self.tally.lost(lost);
        }
        for transaction in examined.transaction.into_iter().chain(examined.streamed) {
            self.keep(*transaction);
        }
    }

    fn keep(&mut self, transaction: Transaction) {
        let id = transaction.trace_id;
        let weight = weight::of(&transaction);
        if !self.traces.contains_key(&id) {
            self.order.push_back(id);
        }
        let kept = self.traces.entry(id).or_default();
        (kept.summary, kept.checkup) = (OnceLock::new(), OnceLock::new());
        let twin = kept.transactions.iter_mut().find(|it| merge::is_same(it, &transaction));
        let fits = kept.bytes.saturating_add(weight) <= self.limits.bytes;
        if let Some(twin) = twin.filter(|twin| fits || !twin.streamed) {
            if merge::merge(Arc::make_mut(twin), transaction) {
                kept.bytes += weight;
                self.bytes += weight;
            }
        } else if kept.transactions.len() >= self.limits.transactions || !fits {
            kept.dropped += 1;
        } else {
            kept.transactions.push(Arc::new(transaction));
            kept.bytes += weight;
            self.bytes += weight;
        }
        self.make_room(id);
    }

    /// Discards the oldest traces, but never the one that just grew.
    fn make_room(&mut self, spare: TraceId) {
        while self.order.len() > self.limits.traces || self.bytes > self.limits.bytes {
            let Some(place) = self.order.iter().position(|id| *id != spare) else { return };
            let oldest = self.order.remove(place).and_then(|id| self.traces.remove(&id));
            self.bytes -= oldest.map_or(0, |kept| kept.bytes);
        }
    }
}

#[cfg(test)]
mod tests;
