//! The one thread that delivers.

mod flush;
mod shutdown;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::StatusCode;
use sentrace_core::{Finished, Losses, diagnostics};
use sentrace_protocol::{Category, ClientReport, Reason};
use tokio::task::Id;
use tokio::time::sleep;

use self::flush::Flush;
use crate::control::Control;
use crate::encode::Encoder;
use crate::in_flight::{InFlight, Outcome};
use crate::limits::RateLimits;
use crate::load::Load;
use crate::post::{Ingest, explain};
use crate::queue::Queue;
use crate::reports::Reports;

/// While something comes now and then, the worker looks again after this long instead of being woken by each: the
/// requests then make no system call, and what they hand over is small enough to be recycled.
const NAP: Duration = Duration::from_millis(5);
/// Naps in which nothing comes, after which the worker sleeps until it is woken.
const NAPS_UNTIL_SLEEP: u32 = 20;

/// Takes from the queue, builds, posts, and accounts for what it took.
#[derive(Debug)]
pub(crate) struct Worker {
    queue: Arc<Queue>,
    control: Arc<Control>,
    losses: Arc<Losses>,
    ingest: Arc<Ingest>,
    reports: Reports,
    limits: RateLimits,
    encoder: Encoder,
    in_flight: InFlight,
    /// Transactions that left the queue.
    taken: u64,
    flushes: Vec<Flush>,
    flushes_seen: u64,
    idle_naps: u32,
    told: Told,
}

/// What was said aloud already.
#[derive(Debug, Default)]
struct Told {
    silent: AtomicBool,
    refused: AtomicBool,
}

impl Worker {
    pub(crate) fn new(
        queue: Arc<Queue>,
        control: Arc<Control>,
        losses: Arc<Losses>,
        ingest: Ingest,
        reports: Reports,
    ) -> Self {
        Self {
            queue,
            control,
            losses,
            ingest: Arc::new(ingest),
            reports,
            limits: RateLimits::default(),
            encoder: Encoder::new(),
            in_flight: InFlight::default(),
            taken: 0,
            flushes: Vec::new(),
            flushes_seen: 0,
            idle_naps: 0,
            told: Told::default(),
        }
    }

    /// Delivers until it is told to close, and then what can be delivered in time.
    pub(crate) async fn run(mut self) {
        let deadline = loop {
            self.start_posts();
            self.report_if_due();
            self.answer_flushes();
            if let Some(deadline) = self.control.close_by() {
                break deadline;
            }
            self.wait().await;
        };
        self.shut_down(deadline).await;
    }

    /// Starts posts until the queue is empty or enough are under way.
    fn start_posts(&mut self) {
        let now = Instant::now();
        let limited = self.limits.is_active(Category::Transaction, now);
        while limited || self.in_flight.has_room() {
            let Some(finished) = self.queue.pop() else { return };
            self.idle_naps = 0;
            let number = self.taken;
            self.taken += 1;
            let load = Load::transaction(&finished, &self.losses);
            if limited {
                load.lost(Reason::RatelimitBackoff);
            } else {
                self.post_transaction(&finished, load, number, now);
            }
        }
    }

    fn post_transaction(&mut self, finished: &Finished, mut load: Load, number: u64, now: Instant) {
        let report =
            if self.may_report(now) && self.reports.is_due(now) { self.reports.take(now) } else { None };
        if let Some(report) = &report {
            load.attach(&report.discarded);
        }
        match self.encoder.transaction(finished, report.as_ref()) {
            Some(body) => {
                self.post(load, Some(number), body);
            }
            None => load.lost(Reason::InternalSdkError),
        }
    }

    fn report_if_due(&mut self) {
        let now = Instant::now();
        if !self.reports.is_due(now) {
            return;
        }
        if self.may_report(now) {
            self.post_report(now);
        } else {
            self.reports.postpone(now);
        }
    }

    fn post_report(&mut self, now: Instant) -> Option<Id> {
        let (load, body) = self.build_report(now)?;
        Some(self.post(load, None, body))
    }

    fn build_report(&mut self, now: Instant) -> Option<(Load, Bytes)> {
        if !self.may_report(now) {
            return None;
        }
        let report: ClientReport = self.reports.take(now)?;
        let load = Load::report(&report.discarded, &self.losses);
        let body = self.encoder.report(&report)?;
        Some((load, body))
    }

    fn may_report(&self, now: Instant) -> bool {
        !self.limits.is_active(Category::Internal, now)
    }

    fn post(&mut self, load: Load, number: Option<u64>, body: Bytes) -> Id {
        let ingest = Arc::clone(&self.ingest);
        let bytes = body.len();
        self.in_flight.start(load, number, bytes, async move { ingest.post(body).await })
    }

    /// Sentry SDK specification, *Client Reports* 1.20: what each outcome means.
    fn settle(&mut self, load: Load, outcome: Outcome) {
        match outcome {
            Outcome::Answered(answer) => {
                self.limits.update(answer.status, &answer.headers, Instant::now());
                match answer.status {
                    status if status.is_success() => load.delivered(),
                    StatusCode::TOO_MANY_REQUESTS => load.limited(),
                    status => {
                        diagnostics::warn_once(
                            &self.told.refused,
                            format_args!(
                                "the ingest refused an envelope with {status}; turn on the option debug to see why"
                            ),
                        );
                        load.lost(Reason::SendError);
                    }
                }
            }
            Outcome::Unanswered(error) => {
                let error = explain(&error);
                diagnostics::warn_once(
                    &self.told.silent,
                    format_args!(
                        "the ingest gives no proper answer, transactions are lost meanwhile: {error}"
                    ),
                );
                diagnostics::debug(format_args!("a post came to nothing: {error}"));
                load.lost(Reason::NetworkError);
            }
            Outcome::Aborted => load.lost(Reason::NetworkError),
            Outcome::Panicked => load.lost(Reason::InternalSdkError),
        }
    }

    /// Waits until there may be something to do.
    async fn wait(&mut self) {
        let under_way = !self.in_flight.is_empty();
        let has_room = self.in_flight.has_room();
        let naps = self.idle_naps < NAPS_UNTIL_SLEEP;
        let due_in = self.reports.due_in(Instant::now());
        let settled = tokio::select! {
            biased;
            settled = self.in_flight.next(), if under_way => settled,
            // Nothing can be taken before a post is through.
            () = self.queue.woken(), if !has_room || naps => None,
            () = self.queue.sleep(), if has_room && !naps => None,
            () = sleep(NAP), if has_room && naps => {
                self.idle_naps += 1;
                None
            }
            () = sleep(due_in), if has_room && !naps => None,
        };
        if let Some((load, outcome)) = settled {
            self.settle(load, outcome);
        }
    }
}
