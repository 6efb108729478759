//! When to report losses to Sentry.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sentrace_protocol::ClientReport;

use crate::account::Account;
use crate::consignment::Consignment;

/// How often losses are reported (Sentry SDK specification, *Client Reports* 1.20).
pub const REPORT_INTERVAL: Duration = Duration::from_secs(30);

/// Entries that fit in the 4 KiB of a report, however long they are.
const MAX_ENTRIES: usize = 40;

/// Decides when a client report is due, and takes the losses for it.
#[derive(Debug)]
pub struct ReportSchedule {
    enabled: bool,
    interval: Duration,
    last: Instant,
}

impl ReportSchedule {
    /// Creates a schedule whose first report is due `interval` after `now`. If it is not `enabled`, none ever is.
    pub fn new(enabled: bool, interval: Duration, now: Instant) -> Self {
        Self { enabled, interval, last: now }
    }

    /// Returns `true` if losses are reported at all.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Returns the time until the next report is due, or [`Duration::MAX`] if none ever is.
    pub fn due_in(&self, now: Instant) -> Duration {
        if !self.enabled {
            return Duration::MAX;
        }
        self.interval.saturating_sub(now.saturating_duration_since(self.last))
    }

    /// Returns `true` if a report is due.
    pub fn is_due(&self, now: Instant) -> bool {
        self.due_in(now).is_zero()
    }

    /// Skips the report that is due.
    pub fn postpone(&mut self, now: Instant) {
        self.last = now;
    }

    /// Takes all losses so far, whether or not a report is due: as several reports if they do not fit in one, so that a
    /// flush and a close leave none behind. Dropping a report's consignment returns its losses to the counters.
    pub fn take(&mut self, account: &Arc<Account>, now: Instant) -> Vec<(Consignment, ClientReport)> {
        if !self.enabled {
            return Vec::new();
        }
        self.postpone(now);
        let reports = account.take_reports(MAX_ENTRIES).into_iter();
        reports.map(|report| (Consignment::of_report(&report, account), report)).collect()
    }
}

#[cfg(test)]
mod tests {
    use sentrace_core::deliver::Losses;
    use sentrace_protocol::{Category, Reason};

    use super::*;

    fn schedule(enabled: bool, now: Instant) -> (ReportSchedule, Arc<Account>, Arc<Losses>) {
        let losses = Arc::new(Losses::default());
        (ReportSchedule::new(enabled, REPORT_INTERVAL, now), Account::new(Arc::clone(&losses)), losses)
    }

    #[test]
    fn a_report_is_due_every_thirty_seconds() {
        let start = Instant::now();
        let (mut schedule, account, losses) = schedule(true, start);
        assert!(!schedule.is_due(start + Duration::from_secs(29)));
        assert!(schedule.is_due(start + REPORT_INTERVAL));
        losses.record(Reason::SampleRate, Category::Span, 2);
        let [(consignment, report)] = schedule.take(&account, start + REPORT_INTERVAL).try_into().unwrap();
        assert_eq!(report.discarded.len(), 1);
        consignment.delivered();
        assert!(!schedule.is_due(start + REPORT_INTERVAL * 2 - Duration::from_millis(1)));
        assert_eq!(schedule.due_in(start + REPORT_INTERVAL), REPORT_INTERVAL);
        assert!(schedule.take(&account, start + REPORT_INTERVAL * 2).is_empty(), "nothing was lost since");
    }

    #[test]
    fn without_client_reports_the_counters_stay() {
        let start = Instant::now();
        let (mut schedule, account, losses) = schedule(false, start);
        losses.record(Reason::SampleRate, Category::Span, 2);
        assert!(!schedule.is_due(start + REPORT_INTERVAL * 2));
        assert!(schedule.take(&account, start).is_empty());
        assert_eq!(losses.take().len(), 1);
    }

    #[test]
    fn a_report_has_at_most_four_kibibytes_and_the_rest_goes_into_others_at_once() {
        let start = Instant::now();
        let (mut schedule, account, losses) = schedule(true, start);
        for &reason in Reason::ALL {
            for &category in Category::ALL {
                losses.record(reason, category, u64::MAX);
            }
        }
        let reports = schedule.take(&account, start);
        assert!(reports.iter().all(|(_, report)| serde_json::to_vec(report).unwrap().len() <= 4096));
        let entries = Reason::ALL.len() * Category::ALL.len();
        assert_eq!(reports.iter().map(|(_, report)| report.discarded.len()).sum::<usize>(), entries);
        assert!(losses.peek().is_empty());
        drop(reports);
        assert_eq!(losses.peek().len(), entries, "none was delivered");
    }
}
