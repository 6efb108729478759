//! Flushes: when everything that was handed over before one is through.

use std::time::Instant;

use tokio::task::Id;

use super::Worker;
use crate::parcel::Kind;
use crate::spotlight::Spotlight;

/// A flush that waits for its answer.
#[derive(Debug)]
pub(super) struct Flush {
    number: u64,
    /// How many transactions have to be through: those taken and queued when the flush was seen.
    target: u64,
    report: Report,
}

#[derive(Debug)]
enum Report {
    NotYet,
    Posted(Vec<Id>),
}

impl Worker {
    /// Takes notice of flushes, which end the wait for more to go out together.
    pub(super) fn see_flushes(&mut self) {
        let requested = self.outbox.requests().pending_flush().map_or(0, |flush| flush.number);
        if requested > self.flushes_seen {
            self.flushes_seen = requested;
            let target = self.taken + self.outbox.queue().len() as u64 + self.flush_spans();
            self.flushes.push(Flush { number: requested, target, report: Report::NotYet });
        }
    }

    /// Answers the flushes whose transactions are through, after telling what was lost on the way.
    pub(super) fn answer_flushes(&mut self) {
        while let Some(flush) = self.flushes.first() {
            if !self.are_through(flush.target) {
                return;
            }
            match &flush.report {
                Report::NotYet => {
                    if let Some(spool) = &mut self.spool {
                        spool.commit();
                    }
                    let report = self.post_reports(Instant::now());
                    self.flushes[0].report = Report::Posted(report);
                }
                Report::Posted(posts) if posts.iter().any(|post| self.in_flight.contains(*post)) => return,
                Report::Posted(_) => {
                    self.outbox.requests().complete_flush(flush.number, true);
                    self.flushes.remove(0);
                }
            }
        }
    }

    /// Whether nothing is left of the first so many transactions; what is on disk is through, too.
    fn are_through(&self, target: u64) -> bool {
        let earlier = |kind: Kind| matches!(kind, Kind::Fresh(number) if number < target);
        self.taken >= target
            && !self.in_flight.kinds().chain(self.retries.kinds()).any(earlier)
            && (self.ingest.is_some() || self.spotlight.as_ref().is_none_or(Spotlight::is_settled))
    }
}
