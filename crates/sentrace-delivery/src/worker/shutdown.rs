//! The worker's end: in time, and with everything accounted for.

use std::time::{Duration, Instant};

use sentrace_outbox::End;
use sentrace_protocol::{Category, Reason};
use tokio::time::{sleep, timeout_at};

use super::Worker;
use super::intake::MAX_WAIT;
use super::sender::Disposition;
use crate::spotlight::Spotlight;

/// The most that is reserved of the close timeout for the last report.
const LAST_REPORT: Duration = Duration::from_millis(500);
/// How often the last report is posted at most.
const MAX_ATTEMPTS: usize = 6;
/// How much time must be left for another attempt.
const TIME_TO_REPORT: Duration = Duration::from_millis(250);
/// What it takes to put one transaction on disk.
const TIME_TO_SPOOL: Duration = Duration::from_micros(200);
/// The most that is waited for Spotlight beside an ingest.
const LAST_COPIES: Duration = Duration::from_millis(500);

impl Worker {
    /// Delivers what is left. When the time is over, spools or counts the rest and reports it.
    pub(super) async fn shut_down(mut self) {
        let lost_before = self.lost_to_network();
        self.sender.begin_close(Instant::now());
        let mut complete = self.drain().await;
        self.intake.outbox().queue().end();
        complete &= !self.give_up_queue();
        self.give_up_posts().await;
        if let Some(archive) = self.archive.take() {
            archive.close();
        }
        let deadline = self.deadline();
        if timeout_at(deadline.into(), self.report_losses(deadline)).await.is_err() {
            self.give_up_posts().await;
        }
        let copies_until =
            if self.sender.has_ingest() { deadline.min(Instant::now() + LAST_COPIES) } else { deadline };
        let _ = timeout_at(copies_until.into(), Spotlight::all_settled(self.spotlight.as_ref())).await;
        // Without client reports, nothing else tells that the network failed while closing.
        complete &= self.reporter.is_enabled() || self.lost_to_network() == lost_before;
        self.intake.outbox().requests().end(if complete { End::Complete } else { End::CutShort });
    }

    /// Posts and settles what is left. Returns `false` if the time for that is over first.
    async fn drain(&mut self) -> bool {
        let mut deadline = self.deadline();
        let mut until = self.drain_until(deadline);
        loop {
            self.poll_flush_requests();
            self.take();
            self.complete_flushes();
            if self.sender.len() == 0 && self.intake.is_empty() {
                return true;
            }
            // Another caller may have less time.
            if self.deadline() < deadline {
                deadline = self.deadline();
                until = self.drain_until(deadline);
            }
            let now = Instant::now();
            if now >= until {
                return false;
            }
            let longest = self.sender.retry_in(now).min(MAX_WAIT).min(until - now);
            let has_posts = self.sender.has_posts();
            tokio::select! {
                biased;
                Some((submission, outcome)) = self.sender.next_outcome(), if has_posts => {
                    self.settle(submission, outcome);
                }
                () = self.intake.woken() => {}
                () = sleep(longest) => {}
            }
        }
    }

    fn deadline(&self) -> Instant {
        self.intake.outbox().requests().close_deadline().unwrap_or_else(Instant::now)
    }

    /// Reserves time for the last report, and to put on disk what is left.
    fn drain_until(&self, deadline: Instant) -> Instant {
        let left = deadline.saturating_duration_since(Instant::now());
        let held = self.intake.outbox().queue().len() + self.sender.len();
        let held = if self.archive.is_some() { u32::try_from(held).unwrap_or(u32::MAX) } else { 0 };
        let reserved = LAST_REPORT.min(left / 4).max(TIME_TO_SPOOL.saturating_mul(held).min(left / 2));
        deadline.checked_sub(reserved).unwrap_or(deadline)
    }

    fn lost_to_network(&self) -> u64 {
        let lost = self.intake.outbox().account().losses().total();
        let of_network = lost.iter().filter(|events| events.reason == Reason::NetworkError);
        of_network.map(|events| events.quantity).sum()
    }

    /// Spools or counts what is queued. Returns `true` if something was counted.
    fn give_up_queue(&mut self) -> bool {
        let (now, given_up) = (Instant::now(), Disposition::Spool(Reason::NetworkError));
        let mut any = false;
        self.intake.outbox().span_buckets().flush(now);
        while let Some((batch, number)) = self.intake.next_batch() {
            any = true;
            self.submit_spans(batch, number, given_up, now);
        }
        self.intake.outbox().span_buckets().end(Reason::NetworkError);
        while let Some((finished, consignment, number)) = self.intake.next() {
            any = true;
            self.submit(&finished, consignment, number, given_up, now);
        }
        any && self.archive.is_none()
    }

    /// Posts the last report, and again if the ingest refuses it: nothing else will tell Sentry.
    async fn report_losses(&mut self, deadline: Instant) {
        for attempt in 0..MAX_ATTEMPTS {
            // One that is aborted at the end may have arrived, and its losses are then counted twice.
            if attempt > 0 && deadline.saturating_duration_since(Instant::now()) < TIME_TO_REPORT {
                return;
            }
            // A short limit is worth waiting for.
            let limited = self.sender.limited_for(Category::Internal, Instant::now());
            if !limited.is_zero() && limited <= LAST_REPORT {
                sleep(limited).await;
            }
            if self.reporter.post(&mut self.sender, &mut self.encoder, Instant::now()).is_empty() {
                return;
            }
            self.settle_all().await;
            if self.sender.is_unreachable() {
                return;
            }
        }
    }

    async fn settle_all(&mut self) {
        while let Some((submission, outcome)) = self.sender.next_outcome().await {
            self.settle(submission, outcome);
        }
    }

    async fn give_up_posts(&mut self) {
        let now = Instant::now();
        self.sender.abort();
        self.settle_all().await;
        for submission in self.sender.take_retries(now) {
            self.spool_or_discard(submission, Reason::NetworkError, now);
        }
    }
}
