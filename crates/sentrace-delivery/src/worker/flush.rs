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

#[derive(Debug, Clone, Copy)]
enum Report {
    NotYet,
    Posted(Option<Id>),
}

impl Worker {
    /// Takes notice of flushes, which end the wait for more to go out together.
    pub(super) fn see_flushes(&mut self) {
        let requested = self.control.flushes_requested();
        if requested > self.flushes_seen {
            self.flushes_seen = requested;
            let target = self.taken + self.queue.len() as u64 + self.flush_spans();
            self.flushes.push(Flush { number: requested, target, report: Report::NotYet });
        }
    }

    /// Answers the flushes whose transactions are through, after telling what was lost on the way.
    pub(super) fn answer_flushes(&mut self) {
        while let Some(flush) = self.flushes.first() {
            if !self.are_through(flush.target) {
                return;
            }
            match flush.report {
                Report::NotYet => {
                    if let Some(spool) = &mut self.spool {
                        spool.commit();
                    }
                    let report = self.post_report(Instant::now());
                    self.flushes[0].report = Report::Posted(report);
                }
                Report::Posted(Some(id)) if self.in_flight.contains(id) => return,
                Report::Posted(_) => {
                    self.control.flushed(flush.number);
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
