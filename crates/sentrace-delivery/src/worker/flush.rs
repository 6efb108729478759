//! Flushes: when everything that was handed over before one is through.

use std::time::Instant;

use tokio::task::Id;

use super::Worker;

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
    /// Answers the flushes whose transactions are through, after telling what was lost on the way.
    pub(super) fn answer_flushes(&mut self) {
        let requested = self.control.flushes_requested();
        if requested > self.flushes_seen {
            self.flushes_seen = requested;
            let target = self.taken + self.queue.len() as u64;
            self.flushes.push(Flush { number: requested, target, report: Report::NotYet });
        }
        while let Some(flush) = self.flushes.first() {
            if self.taken < flush.target || !self.in_flight.all_through_before(flush.target) {
                return;
            }
            match flush.report {
                Report::NotYet => {
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
}
