//! Client reports and backpressure: what is done at fixed intervals.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sentrace_outbox::{Consignment, Outbox, ReportSchedule};
use sentrace_protocol::{Category, ClientReport};
use tokio::task::Id;

use super::sender::Sender;
use super::submission::{Origin, Submission};
use crate::envelope::Encoder;
use crate::ingest::{Backpressure, HealthCheck};

/// Reports losses to Sentry, and lowers sample rates while delivery is unhealthy.
#[derive(Debug)]
pub(crate) struct Reporter {
    outbox: Arc<Outbox>,
    schedule: ReportSchedule,
    health_check: HealthCheck,
    backpressure: Arc<Backpressure>,
}

impl Reporter {
    pub(crate) fn new(
        outbox: Arc<Outbox>,
        schedule: ReportSchedule,
        health_check: HealthCheck,
        backpressure: Arc<Backpressure>,
    ) -> Self {
        Self { outbox, schedule, health_check, backpressure }
    }

    /// Returns `true` if losses are reported at all.
    pub(super) fn is_enabled(&self) -> bool {
        self.schedule.is_enabled()
    }

    /// Takes all losses so far if a report is due, so that it can travel with a transaction.
    pub(super) fn take_due(&mut self, sender: &Sender, now: Instant) -> Vec<(Consignment, ClientReport)> {
        if !self.schedule.is_due(now) || sender.is_limited(Category::Internal, now) {
            return Vec::new();
        }
        self.schedule.take(self.outbox.account(), now)
    }

    /// Posts all losses so far, whether or not a report is due.
    pub(super) fn post(&mut self, sender: &mut Sender, encoder: &mut Encoder, now: Instant) -> Vec<Id> {
        if sender.is_limited(Category::Internal, now) {
            return Vec::new();
        }
        let reports = self.schedule.take(self.outbox.account(), now);
        reports.into_iter().filter_map(|report| post(report, sender, encoder)).collect()
    }

    /// Does what is due by the clock.
    pub(super) fn run_timers(&mut self, sender: &mut Sender, encoder: &mut Encoder, now: Instant) {
        if self.schedule.is_due(now) {
            self.schedule.postpone(now);
            self.post(sender, encoder, now);
        }
        if self.health_check.is_due(now) {
            let is_healthy = !self.outbox.queue().take_overflowed() && !sender.any_limit(now);
            self.backpressure.update(is_healthy);
        }
    }

    /// Returns how long until there is something to do.
    pub(super) fn due_in(&self, now: Instant) -> Duration {
        self.schedule.due_in(now).min(self.health_check.due_in(now))
    }
}

/// Posts one report alone.
pub(super) fn post(
    (consignment, report): (Consignment, ClientReport),
    sender: &mut Sender,
    encoder: &mut Encoder,
) -> Option<Id> {
    let body = encoder.report(&report)?;
    sender.post(Submission::new(consignment, body, Origin::Report))
}
