//! From the outbox to posts, or to the spool.

use std::time::Instant;

use sentrace_core::deliver::FinishedTransaction;
use sentrace_outbox::{Consignment, SpanBatch, Tally};
use sentrace_protocol::span_v2::SpanItems;
use sentrace_protocol::{Category, Reason};

use super::sender::Disposition;
use super::submission::{Origin, Submission};
use super::{Worker, reporter};
use crate::envelope::Purpose;

impl Worker {
    /// Takes from the outbox until it is empty or no more posts may start, if it is time to look.
    pub(super) fn take(&mut self) {
        let now = Instant::now();
        self.retry(now);
        if !self.is_hurried() && !self.intake.is_due(now) {
            return;
        }
        let mut taken = self.take_spans(now);
        while let Some(disposition) = self.disposition(Category::Transaction, now) {
            // A hook may have blocked for so long that the caller of `close` has given up.
            if self.intake.outbox().account().is_given_up() {
                return;
            }
            let Some((finished, consignment, number)) = self.intake.next() else {
                return self.intake.end_round(taken, now);
            };
            taken += 1;
            self.submit(&finished, consignment, number, disposition, now);
        }
    }

    /// Posts what failed and has waited long enough.
    fn retry(&mut self, now: Instant) {
        while let Some(mut submission) = self.sender.next_retry(now) {
            if self.sender.is_limited(submission.consignment.tally().category(), now) {
                self.spool_or_discard(submission, Reason::RatelimitBackoff, now);
                continue;
            }
            match self.encoder.restamp_for_retry(&submission.body) {
                Some(body) => {
                    submission.body = body;
                    self.sender.post(submission);
                }
                None => submission.consignment.discard(Reason::InternalSdkError),
            }
        }
    }

    /// Encodes and posts a transaction, or spools it.
    pub(super) fn submit(
        &mut self,
        finished: &FinishedTransaction,
        mut consignment: Consignment,
        number: u64,
        disposition: Disposition,
        now: Instant,
    ) {
        let Self { encoder, sender, .. } = self;
        match (disposition, &mut self.archive) {
            (Disposition::Post, _) => {
                let mut reports = self.reporter.take_due(sender, now);
                let report = reports.pop().map(|(losses, report)| {
                    consignment.attach(losses);
                    report
                });
                let encoded = encoder.transaction(finished, consignment, Purpose::Post, report.as_ref());
                if let Some((consignment, body)) = encoded {
                    sender.post(Submission::new(consignment, body, Origin::Queue(number)));
                }
                for report in reports {
                    reporter::post(report, sender, encoder);
                }
            }
            (Disposition::Spool(reason), None) => consignment.discard(reason),
            (Disposition::Spool(reason), Some(archive)) => {
                let encoded = encoder.transaction(finished, consignment, Purpose::Spool, None);
                if let Some((consignment, body)) = encoded {
                    archive.keep(consignment, &body, reason, now);
                }
            }
        }
    }

    /// Moves queued spans into buckets, and submits the batches that are ready. Returns their number, or 1 if spans were
    /// queued that wait for others.
    fn take_spans(&mut self, now: Instant) -> u32 {
        let any = {
            let mut buckets = self.intake.outbox().span_buckets();
            let any = buckets.collect(now);
            if self.sender.is_closing() {
                buckets.flush(now);
            }
            any
        };
        let mut batches = 0;
        while let Some(disposition) = self.disposition(Category::Span, now) {
            let Some((batch, number)) = self.intake.next_batch() else { break };
            self.submit_spans(batch, number, disposition, now);
            batches += 1;
        }
        batches.max(u32::from(any))
    }

    /// Encodes and posts spans, or spools them: as one envelope or more, each of the size that the specification allows.
    pub(super) fn submit_spans(
        &mut self,
        mut batch: SpanBatch,
        number: u64,
        disposition: Disposition,
        now: Instant,
    ) {
        let purpose = match disposition {
            Disposition::Post => Purpose::Post,
            Disposition::Spool(reason) if self.archive.is_none() => return batch.discard(reason),
            Disposition::Spool(_) => Purpose::Spool,
        };
        self.encoder.run_span_hook(&mut batch, self.intake.outbox().account());
        let context = batch.dynamic_sampling_context();
        let mut parts = Vec::new();
        while !batch.is_empty() {
            let mut items = SpanItems::new(Vec::new());
            batch.fill(&mut items);
            if items.is_empty() {
                break;
            }
            let tally = Tally::of_spans(items.len() as u64);
            parts.push((Consignment::new(tally, self.intake.outbox().account()), items));
        }
        // All of it is in the account before anything waits for a disk.
        for (consignment, items) in parts {
            let Some(body) = self.encoder.spans(&items, context.as_ref(), purpose) else {
                consignment.discard(Reason::InternalSdkError);
                continue;
            };
            match (disposition, &mut self.archive) {
                (Disposition::Spool(reason), Some(archive)) => archive.keep(consignment, &body, reason, now),
                _ => drop(self.sender.post(Submission::new(consignment, body, Origin::Queue(number)))),
            }
        }
    }
}
