//! The worker's end: on time, with everything accounted for.

use std::time::{Duration, Instant};

use sentrace_protocol::{Category, Reason};
use tokio::time::{sleep, timeout_at};

use super::{LOOK_FOR_SLOW, Worker, copies_settled};
use sentrace_outbox::Consignment;
use sentrace_outbox::End;

/// The most that is set aside of the time to close for the last report.
const LAST_REPORT: Duration = Duration::from_millis(500);
/// How often the last report is posted at most.
const LAST_TRIES: usize = 6;
/// How much time there must be for another try.
const TIME_TO_REPORT: Duration = Duration::from_millis(250);
/// What it takes to put one transaction on disk.
const KEEPING: Duration = Duration::from_micros(200);
/// The most that Spotlight is waited for where it is not all there is.
const LAST_COPIES: Duration = Duration::from_millis(500);

impl Worker {
    /// Without client reports nobody else learns what the network failed while closing.
    fn is_lossless(&self, network_losses: u64) -> bool {
        self.schedule.is_enabled() || self.lost(Reason::NetworkError) == network_losses
    }

    /// How much was ever lost for this reason.
    fn lost(&self, reason: Reason) -> u64 {
        let lost = self.outbox.account().losses().total();
        lost.iter().filter(|events| events.reason == reason).map(|events| events.quantity).sum()
    }

    /// Delivers what is left, keeps on disk or counts what is left of that when the time is over, and reports it.
    pub(super) async fn shut_down(mut self, deadline: Instant) {
        let now = Instant::now();
        let network_losses = self.lost(Reason::NetworkError);
        let left = deadline.saturating_duration_since(now);
        let set_aside = LAST_REPORT.min(left / 4).max(self.time_to_keep().min(left / 2));
        let drain_until = deadline.checked_sub(set_aside).unwrap_or(deadline);
        self.closing = true;
        self.closing_at = now;
        self.retries.make_due(now);
        let mut complete = timeout_at(drain_until.into(), self.drain()).await.is_ok();
        self.outbox.queue().end();
        complete &= !self.give_up_queue();
        self.give_up_posts().await;
        if let Some(spool) = self.spool.take() {
            spool.close();
        }
        if timeout_at(deadline.into(), self.report_losses(deadline)).await.is_err() {
            self.give_up_posts().await;
        }
        let copies_until =
            if self.ingest.is_some() { deadline.min(Instant::now() + LAST_COPIES) } else { deadline };
        let _ = timeout_at(copies_until.into(), copies_settled(self.spotlight.as_ref())).await;
        complete &= self.is_lossless(network_losses);
        self.outbox.requests().end(if complete { End::Complete } else { End::CutShort });
    }

    /// About how long it takes to put on disk what is there now.
    fn time_to_keep(&self) -> Duration {
        let held = self.outbox.queue().len() + self.in_flight.len() + self.retries.len();
        let held = if self.spool.is_some() { u32::try_from(held).unwrap_or(u32::MAX) } else { 0 };
        KEEPING.saturating_mul(held)
    }

    async fn drain(&mut self) {
        loop {
            self.see_flushes();
            self.start_posts();
            self.answer_flushes();
            let queued = !self.outbox.queue().is_empty() || !self.outbox.span_buckets().is_empty();
            if self.in_flight.is_empty() && self.retries.is_empty() && !queued {
                return;
            }
            let due_in = self.again_in(Instant::now()).min(LOOK_FOR_SLOW);
            let under_way = !self.in_flight.is_empty();
            tokio::select! {
                biased;
                Some((parcel, outcome)) = self.in_flight.next(), if under_way => self.settle(parcel, outcome),
                () = sleep(due_in) => {}
            }
        }
    }

    /// Whether something was left that is now counted.
    fn give_up_queue(&mut self) -> bool {
        let now = Instant::now();
        let mut lost = self.give_up_spans(now);
        while let Some(finished) = self.outbox.queue().pop() {
            lost |= self.spool.is_none();
            let load = Consignment::of(&finished, self.outbox.account());
            self.divert(&finished, load, Reason::NetworkError, now);
        }
        lost
    }

    /// Posts the last report, and again if the ingest refuses it: nothing else will tell Sentry.
    async fn report_losses(&mut self, deadline: Instant) {
        for tries in 0..LAST_TRIES {
            // One that is broken off at the end may have arrived, and what it said is then counted twice.
            if tries > 0 && deadline.saturating_duration_since(Instant::now()) < TIME_TO_REPORT {
                return;
            }
            // A short limit is worth waiting for.
            let now = Instant::now();
            let limited = self.limits.remaining(Category::Internal, now);
            if !limited.is_zero() && limited <= LAST_REPORT {
                sleep(limited).await;
            }
            if self.post_reports(Instant::now()).is_empty() {
                return;
            }
            self.settle_all().await;
            if self.reach.is_away() {
                return;
            }
        }
    }

    async fn settle_all(&mut self) {
        while let Some((parcel, outcome)) = self.in_flight.next().await {
            self.settle(parcel, outcome);
        }
    }

    async fn give_up_posts(&mut self) {
        let now = Instant::now();
        self.in_flight.abort();
        self.settle_all().await;
        self.retries.make_due(now);
        while let Some(parcel) = self.retries.pop_due(now) {
            self.keep_or_lose(parcel, Reason::NetworkError, now);
        }
    }
}
