//! Flushes: when everything that was handed over before one is settled.

use std::time::Instant;

use tokio::task::Id;

use super::Worker;
use crate::spotlight::Spotlight;

/// A flush that was requested and is not completed.
#[derive(Debug)]
pub(super) struct Flush {
    number: u64,
    /// How many transactions and batches have to be settled: those taken and queued when the flush was noticed.
    target: u64,
    /// The client reports that follow, once they are posted.
    reports: Option<Vec<Id>>,
}

impl Worker {
    /// Notices flush requests, which end the wait for more to be sent together.
    pub(super) fn poll_flush_requests(&mut self) {
        let Some(request) = self.intake.outbox().requests().pending_flush() else { return };
        if request.number > self.flushes_seen {
            self.flushes_seen = request.number;
            let target = self.intake.target();
            self.flushes.push(Flush { number: request.number, target, reports: None });
        }
    }

    /// Completes the flushes whose transactions are settled, after reporting what was lost on the way.
    pub(super) fn complete_flushes(&mut self) {
        while let Some(flush) = self.flushes.first() {
            if !self.is_settled(flush.target) {
                return;
            }
            match &flush.reports {
                None => {
                    if let Some(archive) = &mut self.archive {
                        archive.commit();
                    }
                    let reports = self.reporter.post(&mut self.sender, &mut self.encoder, Instant::now());
                    self.flushes[0].reports = Some(reports);
                }
                Some(reports) if reports.iter().any(|post| self.sender.is_in_flight(*post)) => return,
                Some(_) => {
                    self.intake.outbox().requests().complete_flush(flush.number, true);
                    self.flushes.remove(0);
                }
            }
        }
    }

    /// Returns `true` if none of the first `target` transactions and batches is left. What is on disk is settled.
    fn is_settled(&self, target: u64) -> bool {
        self.intake.taken() >= target
            && !self.sender.has_before(target)
            && (self.sender.has_ingest() || self.spotlight.as_ref().is_none_or(Spotlight::is_settled))
    }
}
