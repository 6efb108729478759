//! The one thread that delivers.
//!
//! ```text
//! Intake -> Encoder -> Sender -> ingest
//!                 \\       | ^
//!                  Archive  Reporter
//! ```

mod archive;
mod flush;
mod in_flight;
mod intake;
mod reporter;
mod retries;
mod rounds;
mod sender;
mod shutdown;
mod stats;
mod submission;
mod submit;

use std::time::{Duration, Instant};

use sentrace_protocol::{Category, Reason};

pub(crate) use self::archive::Archive;
use self::flush::Flush;
use self::in_flight::Outcome;
pub(crate) use self::intake::Intake;
pub(crate) use self::reporter::Reporter;
pub(crate) use self::sender::Sender;
use self::sender::{Disposition, Settled};
pub(crate) use self::stats::WorkerStats;
use self::submission::{Origin, Submission};
use crate::envelope::Encoder;
use crate::spotlight::Spotlight;

/// Takes from the outbox, encodes, posts, and accounts for what it took.
#[derive(Debug)]
pub(crate) struct Worker {
    intake: Intake,
    encoder: Encoder,
    sender: Sender,
    archive: Option<Archive>,
    reporter: Reporter,
    spotlight: Option<Spotlight>,
    flushes: Vec<Flush>,
    flushes_seen: u64,
}

impl Worker {
    pub(crate) fn new(
        intake: Intake,
        encoder: Encoder,
        sender: Sender,
        archive: Option<Archive>,
        reporter: Reporter,
        spotlight: Option<Spotlight>,
    ) -> Self {
        Self { intake, encoder, sender, archive, reporter, spotlight, flushes: Vec::new(), flushes_seen: 0 }
    }

    /// Delivers until it is asked to close, and then what can be delivered in time.
    pub(crate) async fn run(mut self) {
        if let Some(spotlight) = &mut self.spotlight {
            spotlight.start();
        }
        loop {
            self.poll_flush_requests();
            self.take();
            self.run_timers();
            self.complete_flushes();
            if self.intake.outbox().requests().close_deadline().is_some() {
                return self.shut_down().await;
            }
            self.wait().await;
        }
    }

    /// Does what is due by the clock.
    fn run_timers(&mut self) {
        let now = Instant::now();
        if let Some(archive) = &mut self.archive {
            archive.replay(&mut self.sender, &mut self.encoder, now);
            archive.run_timers(now);
        }
        self.reporter.run_timers(&mut self.sender, &mut self.encoder, now);
    }

    /// Waits until there may be something to do.
    async fn wait(&mut self) {
        let now = Instant::now();
        let takes = self.disposition(Category::Transaction, now).is_some();
        let takes_spans = self.disposition(Category::Span, now).is_some();
        let archive_due_in = self.archive.as_ref().map_or(Duration::MAX, |archive| archive.due_in(now));
        let timers = [self.reporter.due_in(now), self.sender.retry_in(now), archive_due_in];
        let due_in = timers.into_iter().fold(self.intake.due_in(takes_spans, now), Duration::min);
        let has_posts = self.sender.has_posts();
        let flushes_copies = !self.sender.has_ingest() && !self.flushes.is_empty();
        let mut ended = tokio::select! {
            biased;
            ended = self.sender.next_outcome(), if has_posts => ended,
            () = self.intake.wait(takes, due_in) => None,
            () = Spotlight::all_settled(self.spotlight.as_ref()), if flushes_copies => None,
        };
        // Responses come as posts went, several at a time.
        while let Some((submission, outcome)) = ended {
            self.settle(submission, outcome);
            ended = self.sender.try_next_outcome();
        }
    }

    fn settle(&mut self, submission: Submission, outcome: Outcome) {
        let (now, was_failing) = (Instant::now(), self.sender.is_failing());
        let settled = self.sender.settle(submission, outcome, now);
        let has_recovered = was_failing && !self.sender.is_failing();
        match (settled, &mut self.archive) {
            (Settled::Undelivered(submission, reason), _) => self.spool_or_discard(submission, reason, now),
            (Settled::Done(origin), Some(archive)) => archive.settled(origin),
            _ => {}
        }
        if let Some(archive) = self.archive.as_mut().filter(|_| has_recovered) {
            archive.resume(now);
        }
    }

    /// Spools what cannot be delivered now if there is a spool, and discards it for `reason` otherwise.
    fn spool_or_discard(&mut self, submission: Submission, reason: Reason, now: Instant) {
        match &mut self.archive {
            Some(archive) if submission.origin != Origin::Report => {
                archive.keep_unposted(submission, reason, &mut self.encoder, now);
            }
            _ => submission.consignment.discard(reason),
        }
    }

    /// Returns what would become of the next of `category`, or `None` if it has to wait.
    fn disposition(&self, category: Category, now: Instant) -> Option<Disposition> {
        self.sender.disposition(category, self.archive.is_some(), now)
    }

    /// Returns `true` if a caller waits, so that nothing waits for more to be sent together.
    fn is_hurried(&self) -> bool {
        self.sender.is_closing() || !self.flushes.is_empty()
    }
}
