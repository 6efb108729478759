//! The one thread that delivers.

mod flush;
mod replay;
mod rounds;
mod settle;
mod shutdown;
mod spans;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sentrace_core::deliver::FinishedTransaction;
use sentrace_protocol::{Category, ClientReport, Reason};
use tokio::sync::Notify;
use tokio::task::Id;
use tokio::time::sleep;

use self::flush::Flush;
use self::rounds::Rounds;
use self::settle::Told;
use crate::envelope::{Encoder, Purpose};
use crate::health::{Checkup, Pressure};
use crate::in_flight::InFlight;
use crate::ledger::Ledger;
use crate::limits::RateLimits;
use crate::parcel::{Kind, Parcel};
use crate::post::Ingest;
use crate::reach::{PROBES, Reach};
use crate::retry::Retries;
use crate::spool::Spool;
use crate::spotlight::Spotlight;
use sentrace_outbox::{Consignment, Outbox, ReportSchedule};

/// Bytes under way and waiting to be tried again, beyond which no further post starts.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// From when on a post counts as one that may never be answered.
const SLOW: Duration = Duration::from_secs(5);
/// How often the worker looks whether there are such.
const LOOK_FOR_SLOW: Duration = Duration::from_secs(1);

/// What the worker needs of the rest.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) wakes: Arc<Notify>,
    pub(crate) pressure: Arc<Pressure>,
    pub(crate) ledger: Arc<Ledger>,
    /// `None` where there is Spotlight alone.
    pub(crate) ingest: Option<Ingest>,
    pub(crate) spotlight: Option<Spotlight>,
    pub(crate) spool: Option<Spool>,
    pub(crate) encoder: Encoder,
    pub(crate) schedule: ReportSchedule,
    pub(crate) checkup: Checkup,
    pub(crate) retry_timeout: Duration,
}

/// Takes from the queue, builds, posts, and accounts for what it took.
#[derive(Debug)]
pub(crate) struct Worker {
    outbox: Arc<Outbox>,
    wakes: Arc<Notify>,
    pressure: Arc<Pressure>,
    ledger: Arc<Ledger>,
    ingest: Option<Arc<Ingest>>,
    spotlight: Option<Spotlight>,
    spool: Option<Spool>,
    replay_at: Instant,
    /// How many more may be posted before that.
    replay_left: usize,
    replay_failures: u32,
    replay_failed_at: Option<Instant>,
    schedule: ReportSchedule,
    checkup: Checkup,
    limits: RateLimits,
    reach: Reach,
    encoder: Encoder,
    in_flight: InFlight,
    retries: Retries,
    /// Transactions and batches of spans that left their queues.
    taken: u64,
    flushes: Vec<Flush>,
    flushes_seen: u64,
    rounds: Rounds,
    closing: bool,
    closing_at: Instant,
    told: Told,
}

/// What becomes of the next transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Post,
    /// To disk where there is a spool; else it is lost for this reason.
    Divert(Reason),
}

impl Worker {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            outbox: parts.outbox,
            wakes: parts.wakes,
            pressure: parts.pressure,
            ledger: parts.ledger,
            ingest: parts.ingest.map(Arc::new),
            spotlight: parts.spotlight,
            spool: parts.spool,
            replay_at: Instant::now(),
            replay_left: 0,
            replay_failures: 0,
            replay_failed_at: None,
            schedule: parts.schedule,
            checkup: parts.checkup,
            limits: RateLimits::default(),
            reach: Reach::default(),
            encoder: parts.encoder,
            in_flight: InFlight::default(),
            retries: Retries::new(parts.retry_timeout),
            taken: 0,
            flushes: Vec::new(),
            flushes_seen: 0,
            rounds: Rounds::new(Instant::now()),
            closing: false,
            closing_at: Instant::now(),
            told: Told::default(),
        }
    }

    /// Delivers until it is told to close, and then what can be delivered in time.
    pub(crate) async fn run(mut self) {
        if let Some(spotlight) = &mut self.spotlight {
            spotlight.start();
        }
        let deadline = loop {
            self.see_flushes();
            self.start_posts();
            self.replay();
            self.look_after();
            self.answer_flushes();
            if let Some(deadline) = self.outbox.requests().close_deadline() {
                break deadline;
            }
            self.wait().await;
        };
        self.shut_down(deadline).await;
    }

    /// Starts posts until the queues are empty or enough are under way, where it is time to look.
    fn start_posts(&mut self) {
        let now = Instant::now();
        self.post_again(now);
        let waited_for = self.closing || !self.flushes.is_empty();
        if !self.rounds.is_due(now) && !waited_for && !self.outbox.queue().is_filling() {
            return;
        }
        let mut came = self.start_span_posts(now);
        while let Some(way) = self.way(Category::Transaction, now) {
            // A hook may have blocked for so long that the caller of `close` has given up.
            if self.outbox.account().is_given_up() {
                return;
            }
            let Some(finished) = self.outbox.queue().pop() else { return self.rounds.end(came, now) };
            came += 1;
            let number = self.taken;
            self.taken += 1;
            let load = Consignment::of(&finished, self.outbox.account());
            match way {
                Way::Post => self.post_transaction(&finished, load, number, now),
                Way::Divert(reason) => self.divert(&finished, load, reason, now),
            }
        }
    }

    /// Where the next of `category` would go; `None` where it has to wait.
    fn way(&self, category: Category, now: Instant) -> Option<Way> {
        if self.limits.is_active(category, now) {
            Some(Way::Divert(Reason::RatelimitBackoff))
        } else if self.ingest.is_none() || self.has_room(now) {
            Some(Way::Post)
        } else if self.spool.is_some() && self.reach.is_away() {
            Some(Way::Divert(Reason::NetworkError))
        } else {
            None
        }
    }

    /// Whether a post of something new may start.
    fn has_room(&self, now: Instant) -> bool {
        self.may_post(now)
            && self.in_flight.len() + self.retries.len() < 2 * self.reach.posts()
            && self.in_flight.bytes() + self.retries.bytes() < MAX_BYTES
    }

    fn may_post(&self, now: Instant) -> bool {
        let (under_way, most) = (self.in_flight.len(), self.reach.posts());
        // Posts that nobody answers must not keep others from finding out whether somebody does by now.
        let slow = if under_way < most { 0 } else { self.in_flight.older_than(SLOW, now) };
        let posts = if slow > 0 && self.reach.is_silent(SLOW, now) { PROBES } else { most };
        under_way - slow < posts
    }

    fn post_transaction(
        &mut self,
        finished: &FinishedTransaction,
        mut load: Consignment,
        number: u64,
        now: Instant,
    ) {
        let mut reports = if self.may_report(now) && self.schedule.is_due(now) {
            self.take_reports(now)
        } else {
            Vec::new()
        };
        let report = reports.pop().map(|(losses, report)| {
            load.attach(losses);
            report
        });
        self.send_reports(reports);
        let encoded = self.encoder.transaction(finished, load, Purpose::Post, report.as_ref());
        self.copy_to_spotlight();
        let Some((load, body)) = encoded else { return };
        match &self.ingest {
            Some(_) => {
                self.post(Parcel::new(load, body, Kind::Fresh(number)));
            }
            None => load.delivered(),
        }
    }

    fn divert(&mut self, finished: &FinishedTransaction, load: Consignment, reason: Reason, now: Instant) {
        let Some(spool) = &mut self.spool else { return load.discard(reason) };
        if let Some((load, kept)) = self.encoder.transaction(finished, load, Purpose::Spool, None) {
            spool.keep(load, &kept, reason, now);
        }
        self.copy_to_spotlight();
    }

    /// Posts what failed and has waited long enough.
    fn post_again(&mut self, now: Instant) {
        while self.may_post(now) {
            let Some(mut parcel) = self.retries.pop_due(now) else { return };
            if self.limits.is_active(parcel.load.tally().category(), now) {
                self.keep_or_lose(parcel, Reason::RatelimitBackoff, now);
                continue;
            }
            match self.encoder.restamp_for_retry(&parcel.body) {
                Some(body) => {
                    parcel.body = body;
                    self.post(parcel);
                }
                None => parcel.load.discard(Reason::InternalSdkError),
            }
        }
    }

    /// What is due by the clock.
    fn look_after(&mut self) {
        let now = Instant::now();
        self.report_if_due(now);
        if self.checkup.is_due(now) {
            let healthy = !self.outbox.queue().take_overflowed() && !self.limits.any_active(now);
            self.pressure.check(healthy);
        }
        if let Some(spool) = &mut self.spool {
            spool.tick(now);
        }
    }

    fn report_if_due(&mut self, now: Instant) {
        if !self.schedule.is_due(now) {
            return;
        }
        if self.may_report(now) {
            self.post_reports(now);
        } else {
            self.schedule.postpone(now);
        }
    }

    /// Posts all losses so far.
    fn post_reports(&mut self, now: Instant) -> Vec<Id> {
        if !self.may_report(now) {
            return Vec::new();
        }
        let reports = self.take_reports(now);
        self.send_reports(reports)
    }

    fn send_reports(&mut self, reports: Vec<(Consignment, ClientReport)>) -> Vec<Id> {
        let mut posts = Vec::new();
        for (load, report) in reports {
            let Some(body) = self.encoder.report(&report) else { continue };
            self.copy_to_spotlight();
            posts.extend(self.post(Parcel::new(load, body, Kind::Report)));
        }
        posts
    }

    fn take_reports(&mut self, now: Instant) -> Vec<(Consignment, ClientReport)> {
        self.schedule.take(self.outbox.account(), now)
    }

    fn may_report(&self, now: Instant) -> bool {
        self.ingest.is_some() && !self.limits.is_active(Category::Internal, now)
    }

    fn post(&mut self, parcel: Parcel) -> Option<Id> {
        let ingest = Arc::clone(self.ingest.as_ref()?);
        if self.outbox.account().is_given_up() {
            // Counted as lost already, by a caller of `close` that had no more time.
            return None;
        }
        let body = parcel.body.clone();
        self.ledger.posted(body.len());
        Some(self.in_flight.start(parcel, async move { ingest.post(body).await }))
    }

    fn copy_to_spotlight(&mut self) {
        if let (Some(spotlight), Some(copy)) = (&self.spotlight, self.encoder.take_copy()) {
            spotlight.send(copy);
        }
    }

    /// Waits until there may be something to do.
    async fn wait(&mut self) {
        let now = Instant::now();
        let under_way = !self.in_flight.is_empty();
        let takes = self.way(Category::Transaction, now).is_some();
        let naps = takes && !self.rounds.may_sleep();
        let round_in = self.rounds.due_in(now);
        let due_in = if takes { self.due_in(now) } else { self.due_in(now).min(LOOK_FOR_SLOW) };
        let settled = tokio::select! {
            biased;
            settled = self.in_flight.next(), if under_way => settled,
            // Nothing can be taken before a post is through.
            () = self.wakes.notified(), if !takes || naps => None,
            () = sleep_until_pushed(&self.outbox, &self.wakes), if takes && !naps => {
                self.rounds.wake(Instant::now());
                None
            }
            () = sleep(round_in.min(due_in)), if naps => None,
            () = sleep(due_in), if !naps => None,
            () = copies_settled(self.spotlight.as_ref()), if self.ingest.is_none() && !self.flushes.is_empty() => None,
        };
        // Answers come as posts went, several at a time.
        let mut through = settled;
        while let Some((parcel, outcome)) = through {
            self.settle(parcel, outcome);
            through = self.in_flight.try_next();
        }
    }

    /// How long until the clock alone gives something to do.
    fn due_in(&self, now: Instant) -> Duration {
        let report = if self.ingest.is_some() { self.schedule.due_in(now) } else { Duration::MAX };
        let spool = self.spool.as_ref().map_or(Duration::MAX, |spool| {
            let replay =
                if spool.has_more() { self.replay_at.saturating_duration_since(now) } else { Duration::MAX };
            spool.due_in(now).min(replay)
        });
        let ours = report.min(self.checkup.due_in(now)).min(self.again_in(now)).min(spool);
        ours.min(self.spans_in(now).max(self.rounds.due_in(now)))
    }

    /// How long until a failed post may be tried again.
    fn again_in(&self, now: Instant) -> Duration {
        if self.may_post(now) { self.retries.due_in(now) } else { Duration::MAX }
    }
}

async fn copies_settled(spotlight: Option<&Spotlight>) {
    if let Some(spotlight) = spotlight {
        spotlight.settled().await;
    }
}

/// Waits until something is pushed or the outbox is woken; may return early.
async fn sleep_until_pushed(outbox: &Outbox, wakes: &Notify) {
    if let Some(_asleep) = outbox.queue().fall_asleep() {
        wakes.notified().await;
    }
}
